"""Whether clients that others' generators make of our OpenAPI document work: `python -m checks.clients`."""
