"""What a person sees in a terminal: the tools' own answers, and what is configured."""
