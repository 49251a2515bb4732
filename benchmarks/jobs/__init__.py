"""Plays the pages of docs/jobs as a newcomer would: `python -m benchmarks.jobs`."""
