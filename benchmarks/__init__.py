"""Measurements of the service itself. Each module runs by `python -m benchmarks.NAME` and prints what it found."""
