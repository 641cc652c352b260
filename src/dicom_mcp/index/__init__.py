"""The index: what an archive holds, kept as files that any engine reads, and when each day of it
was last asked for."""
