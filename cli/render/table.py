"""A plain table without lines. Columns are aligned by the width that a terminal shows."""

from collections.abc import Sequence

from cli.terminal.output import QUIET, Line, screen_width
from cli.terminal.text_width import cut, width

GAP = "  "
# A column that may be cut keeps this width.
NARROWEST = 8


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: str = "",
    fit: Sequence[int] = (),
    drop: Sequence[int] = (),
    narrowest: int = NARROWEST,
    columns: int | None = None,
) -> list[Line]:
    """Lines of a table. `right` has an `r` for each column that is aligned right.

    `columns` is the width to fit into, by default that of the terminal; a pipe or file gets everything. If the table is
    too wide, the columns in `fit` are cut, the widest first, down to `narrowest`. If that is not enough, the columns in
    `drop` are left out, in that order, and a last line names them. What is still too wide continues below, with the
    first column repeated.
    """
    columns = columns or screen_width()
    sides = right.ljust(len(header), "l")
    cells = [[*header], *([*row] for row in rows)]
    widths = [max(width(row[index]) for row in cells) for index in range(len(header))]
    kept = list(range(len(header)))
    if columns is None:
        return _block(cells, widths, sides, kept)
    least = [min(size, narrowest) if index in fit else size for index, size in enumerate(widths)]
    left_out = []
    for index in drop:
        if _total(least, kept) <= columns:
            break
        kept.remove(index)
        left_out.append(header[index])
    while _total(widths, kept) > columns and (wide := [i for i in kept if i in fit and widths[i] > least[i]]):
        widths[max(wide, key=lambda index: widths[index])] -= 1
    for row in cells:
        for index in fit:
            row[index] = cut(row[index], widths[index])
    lines: list[Line] = []
    for block in _blocks(widths, kept, columns):
        lines += [*([Line("")] if lines else []), *_block(cells, widths, sides, block)]
    if left_out:
        lines.append(Line(f"too narrow for: {', '.join(left_out)}", QUIET, 2))
    return lines


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[index] for index in kept) + len(GAP) * (len(kept) - 1)


def _blocks(widths: Sequence[int], kept: Sequence[int], columns: int) -> list[list[int]]:
    """The columns of each part of the table. A part has at least one column beside the first."""
    first, *others = kept
    blocks = [[first]]
    for index in others:
        if len(blocks[-1]) > 1 and _total(widths, [*blocks[-1], index]) > columns:
            blocks.append([first])
        blocks[-1].append(index)
    return blocks


def _block(cells: Sequence[Sequence[str]], widths: Sequence[int], sides: str, block: Sequence[int]) -> list[Line]:
    texts = [GAP.join(_pad(row[index], widths[index], sides[index]) for index in block).rstrip() for row in cells]
    return [Line(texts[0], "bold"), *(Line(text) for text in texts[1:])]


def _pad(text: str, size: int, side: str) -> str:
    space = " " * (size - width(text))
    return space + text if side == "r" else text + space
