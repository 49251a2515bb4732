"""Workloads: the requests of a benchmark, made from prompts, a corpus, or rows. No database and no web here."""
