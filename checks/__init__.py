"""Checks of what the project is made of, for `make check`."""
