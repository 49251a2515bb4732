"""Datasets, and their rows in compressed blocks."""
