"""Turns what is stored into what is shown."""
