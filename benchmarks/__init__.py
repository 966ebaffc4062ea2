"""Measurements beside other programs; nothing of the product imports them."""
