"""The index of an archive."""
