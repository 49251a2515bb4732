"""Limits of the operating system that a program raises for itself."""

import resource


def raise_open_files_limit() -> None:
    """A stream is an open file, and the usual soft limit of 1,024 is less than one benchmark may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
