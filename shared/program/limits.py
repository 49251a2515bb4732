"""Limits of the operating system that a program raises for itself."""

import resource


def raise_open_files_limit() -> None:
    """Raises the soft limit to the hard one. A stream is an open file, and one benchmark may need more than 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
