"""Runs one claimed benchmark, from claim to end."""
