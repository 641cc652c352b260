"""Reaching another machine: names, TCP, TLS, and sparing one that is down. Nothing can wait longer
than a deadline."""
