"""The HTTP API: it validates and stores benchmarks, rings for a worker, and shows results. It never calls a model."""
