"""Recorded traffic, sent again: which request is due when, and a text of its length."""
