"""Writes numbers, instants and statuses for people. Pure; templates and charts use it."""
