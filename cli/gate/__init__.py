"""Rules that fail a build: what they say, what a benchmark makes of them, and the files that a CI reads."""
