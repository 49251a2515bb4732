"""Workers, and the work that waits for them."""
