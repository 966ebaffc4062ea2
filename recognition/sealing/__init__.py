"""The sealed log as a chain of hashes: plain Python, no Django, no database."""
