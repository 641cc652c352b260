"""A person's question: what it may mean, and asking until one meaning answers."""
