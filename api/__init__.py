"""The HTTP API: validates, stores, rings, reads. It never calls a model."""
