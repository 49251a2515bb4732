"""Runs as workers need them: claims, leases, and what the next worker must know."""
