"""What is read: queries, each named for its question."""
