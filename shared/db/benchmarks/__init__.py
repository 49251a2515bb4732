"""Benchmarks: stored, listed, watched, cancelled and deleted."""
