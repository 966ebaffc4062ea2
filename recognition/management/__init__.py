"""The commands of `faceweb`: thin, each one service call."""
