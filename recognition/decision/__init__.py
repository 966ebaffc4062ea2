"""How a score becomes a decision: pure Python, scores in, decisions out."""
