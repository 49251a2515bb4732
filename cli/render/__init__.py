"""Numbers, tables and benchmarks as lines of text. Pure functions."""
