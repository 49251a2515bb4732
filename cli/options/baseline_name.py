"""Checks the name of a baseline before it becomes a part of a URL. `baseline`, `run` and `gate` use it."""

from cli.exits import usage
from shared.benchmark.baseline_name import MAX_CHARS, is_baseline_name


def checked_name(name: str) -> str:
    """Raises CliError."""
    if not is_baseline_name(name):
        raise usage(
            f"{name!r} is no name of a baseline: use small letters, digits, . _ and -, at most {MAX_CHARS} characters, "
            "and not digits alone"
        )
    return name
