"""Fewer points with the same picture: no chart has more than MOST."""

from collections.abc import Sequence

MOST = 4_000

Point = tuple[float, float]


def thinned(points: Sequence[Point]) -> list[Point]:
    """Points of a line in pixels, ordered by x: the first, lowest, highest and last of each pixel column."""
    if len(points) <= MOST:
        return list(points)
    kept: list[Point] = []
    column: list[Point] = []
    for point in points:
        if column and int(point[0]) != int(column[0][0]):
            kept += _ends(column)
            column = []
        column.append(point)
    return kept + _ends(column)


def spaced(points: Sequence[Point]) -> list[Point]:
    """Points of a cloud in pixels: one of those that cover the same spot, then an even choice of the rest."""
    if len(points) <= MOST:
        return list(points)
    seen: dict[tuple[int, int], Point] = {}
    for point in points:
        seen.setdefault((round(point[0]), round(point[1])), point)
    spots = list(seen.values())
    step = -(-len(spots) // MOST)
    return spots[::step]


def _ends(column: list[Point]) -> list[Point]:
    """In their order, each once."""
    chosen = {0, len(column) - 1}
    chosen.add(min(range(len(column)), key=lambda index: column[index][1]))
    chosen.add(max(range(len(column)), key=lambda index: column[index][1]))
    return [column[index] for index in sorted(chosen)]
