"""What is fetched and looked into: members of a series, headers, reports, pictures."""
