"""How good it is: error rates, protocols and thresholds, as pure functions."""
