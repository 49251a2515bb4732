"""The record of a request, and what the records of a run or a stage add up to."""
