"""Reads a whole file of any format: its rows in blocks, what they add up to, and what is wrong with it."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from shared.workloads.formats.jsonl import read_jsonl
from shared.workloads.formats.lines import ArrayItems, NumberedLine, numbered_lines, starts_as_array
from shared.workloads.formats.names import Format
from shared.workloads.formats.options import ReadOptions
from shared.workloads.formats.report import LineError, Report, TooManyErrors, Unreadable
from shared.workloads.formats.sharegpt import Count, read_sharegpt
from shared.workloads.formats.table import read_csv
from shared.workloads.formats.trace_files import read_azure, read_burstgpt, read_mooncake
from shared.workloads.row_blocks import Block, BlockWriter
from shared.workloads.rows import AnyRow, TraceRow

MAX_ROWS = 1_000_000
_PEEKED = 65_536
# Tokens are counted for so many rows together, which takes a small part of the time.
_ROWS_COUNTED, _CHARACTERS_COUNTED = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Lengths:
    """A distribution of numbers of tokens."""

    count: int
    total: int
    min: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: int


@dataclass(slots=True)
class Facts:
    """What the rows of a file add up to. `errors`: its wrong lines; with any of them, the other fields are not whole.

    `turns`: requests that all rows stand for. `conversations`: rows of more than one turn. `left_out`: rows that were
    not taken, by reason. `span_s`: from the first to the last request of a trace.
    """

    rows: int = 0
    turns: int = 0
    conversations: int = 0
    input_tokens: Lengths | None = None
    output_tokens: Lengths | None = None
    span_s: float | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)


def read_file(
    file: BinaryIO, options: ReadOptions, count: Count, keep: Callable[[Block], None], max_rows: int = MAX_ROWS
) -> Facts:
    """Gives each block of rows to `keep`, and returns the facts. `count`: tokens of texts.

    It holds one row and one block at a time, and two numbers for each row.
    """
    report, writer, measure = Report(), BlockWriter(), _Measure(count)
    try:
        for row in _rows(file, options, report, count):
            if measure.rows == max_rows:
                report.errors.append(LineError(0, f"the file has more than {max_rows:,} rows"))
                break
            measure.add(row)
            if (block := writer.add(row)) is not None:
                keep(block)
    except Unreadable as exc:
        report.errors.append(exc.error)
    except TooManyErrors:
        pass
    if (block := writer.end()) is not None:
        keep(block)
    facts = measure.facts()
    facts.left_out, facts.errors = dict(report.left_out), report.errors
    if not facts.rows and not facts.errors:
        facts.errors = [LineError(0, _nothing(facts.left_out))]
    return facts


def _nothing(left_out: dict[str, int]) -> str:
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(left_out.items()))
    return "the file has no rows" + (f"; all were left out: {reasons}" if reasons else "")


def _rows(file: BinaryIO, options: ReadOptions, report: Report, count: Count) -> Iterator[AnyRow]:
    readers: dict[Format, Callable[[Iterator[NumberedLine]], Iterator[AnyRow]]] = {
        "jsonl": lambda lines: read_jsonl(lines, report),
        "csv": lambda lines: read_csv(lines, report, options.column),
        "sharegpt": lambda lines: read_sharegpt(lines, report, options, count),
        "mooncake": lambda lines: read_mooncake(lines, report),
        "azure": lambda lines: read_azure(lines, report),
        "burstgpt": lambda lines: read_burstgpt(lines, report),
    }
    is_array = options.format == "sharegpt" and starts_as_array(file.read(_PEEKED))
    file.seek(0)
    lines = iter(ArrayItems(file.read)) if is_array else numbered_lines(file.readline)
    return readers[options.format](lines)


class _Measure:
    """Adds up rows."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._input, self._output = array("I"), array("I")
        # Texts that are not counted yet, and how many of them each row has.
        self._texts: list[str] = []
        self._of_rows: list[int] = []
        self._characters = 0
        self._first_ns: int | None = None
        self._last_ns = 0
        self.rows = self._turns = self._conversations = 0

    def add(self, row: AnyRow) -> None:
        self.rows += 1
        if isinstance(row, TraceRow):
            self._turns += 1
            self._input.append(row.input_tokens)
            self._output.append(row.output_tokens)
            self._first_ns = row.at_ns if self._first_ns is None else min(self._first_ns, row.at_ns)
            self._last_ns = max(self._last_ns, row.at_ns)
            return
        self._turns += len(row.turns)
        self._conversations += len(row.turns) > 1
        texts = [row.system or "", *(text for _, text in row.history), *(turn.text for turn in row.turns)]
        self._texts += texts
        self._of_rows.append(len(texts))
        self._characters += sum(map(len, texts))
        self._output.extend(turn.max_tokens for turn in row.turns if turn.max_tokens is not None)
        if len(self._of_rows) >= _ROWS_COUNTED or self._characters >= _CHARACTERS_COUNTED:
            self._count_texts()

    def facts(self) -> Facts:
        self._count_texts()
        span_s = None if self._first_ns is None else (self._last_ns - self._first_ns) / 1e9
        lengths = _lengths(self._input), _lengths(self._output)
        return Facts(self.rows, self._turns, self._conversations, *lengths, span_s)

    def _count_texts(self) -> None:
        counts = iter(self._count(self._texts))
        self._input.extend(sum(islice(counts, texts)) for texts in self._of_rows)
        self._texts, self._of_rows, self._characters = [], [], 0


def _lengths(values: "array[int]") -> Lengths | None:
    if not values:
        return None
    import numpy as np  # here, so that the API does not import it at its start

    numbers = np.frombuffer(values, dtype=np.dtype(f"u{values.itemsize}"))
    p50, p90, p99 = (float(value) for value in np.percentile(numbers, [50, 90, 99]))
    total = int(numbers.sum(dtype=np.int64))
    return Lengths(len(numbers), total, int(numbers.min()), total / len(numbers), p50, p90, p99, int(numbers.max()))
