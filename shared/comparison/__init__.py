"""Compares benchmarks: which settings differ, by how much the numbers differ, and how sure that is. Pure."""
