"""This product and its peers on the same frames and images."""
