"""What people say, beside what the standard says: names, days, modalities, parts of the body."""
