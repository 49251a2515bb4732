"""The doorbell between API and workers."""
