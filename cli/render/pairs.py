"""Lines of a name and a value, and counted words."""

from collections.abc import Mapping

from cli.output import Line, clean


def pair(name: str, value: str, style: str = "") -> Line:
    return Line(f"{name:<13}{value}", style)


def counts(counted: Mapping[str, int]) -> str:
    """`stop 117, length 1`: the most frequent first."""
    most_first = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{clean(name)} {number:,}" for name, number in most_first)
