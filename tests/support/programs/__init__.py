"""The product's programs as real processes, and what starting them needs."""
