"""Live events of benchmarks: who listens in this process, and what they are told."""
