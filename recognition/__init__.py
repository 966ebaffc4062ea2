"""The faceweb application: see docs/architecture.md for what lives where."""
