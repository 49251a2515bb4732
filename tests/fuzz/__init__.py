"""Damaged answers for the decoder: recorded streams that were mutated, and what must hold for their records."""
