"""What people would rather look at than read: an answer's numbers, and how they are drawn."""
