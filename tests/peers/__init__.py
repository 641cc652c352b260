"""What the tests ask, each a real peer: archives, scripts on a bare socket, networks that fail."""
