"""Which network: one module a family of models."""
