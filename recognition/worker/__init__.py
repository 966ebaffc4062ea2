"""The recognition process: takes frames and photos, keeps nothing between them."""
