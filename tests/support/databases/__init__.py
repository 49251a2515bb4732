"""Databases that tests share, and what tests put into them."""
