"""Service-level objectives: what a caller writes, presets, and the requests that meet them."""
