"""What an answer may tell of patients, and under which names."""
