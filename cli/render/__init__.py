"""Turns numbers, tables and benchmarks into lines of text. Pure functions."""
