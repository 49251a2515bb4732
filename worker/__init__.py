"""The worker: claims benchmarks, runs their prompts as timed streams, records results and status."""
