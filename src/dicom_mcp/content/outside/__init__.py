"""What runs in a process of its own: it imports nothing of the house."""
