"""How fast pages, comparisons and exports are over a large database: `python -m benchmarks.web`."""
