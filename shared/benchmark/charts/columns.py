"""The results of a benchmark as columns. `shared.db.results.chart_rows` reads their rows in blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.benchmark.results.outcome import FAILURES, OUTCOMES, UNATTEMPTED

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

# The columns of a row, in this order. All but the id, the prompt, the repetition and the outcome may be None.
NAMES = (
    *("id", "prompt_index", "repetition", "stage", "outcome", "sent_s", "ended_s"),
    *("queue_ms", "connect_ms", "ttft_ms", "latency_ms", "tpot_ms", "stream_close_ms", "input_tokens", "output_tokens"),
)
_INTEGERS = ("id", "prompt_index", "repetition")
_CODES = {name: code for code, name in enumerate(OUTCOMES)}
_FAILED = [_CODES[name] for name in FAILURES]
_UNATTEMPTED = [_CODES[name] for name in UNATTEMPTED]


@dataclass(frozen=True, slots=True)
class ChartColumns:
    """Measured requests, one place each in every column. Unknown is NaN.

    `outcome`: the place in `OUTCOMES`. `sent_s`, `ended_s`: seconds since 1970.
    """

    id: Integers
    prompt_index: Integers
    repetition: Integers
    outcome: Integers
    stage: Floats
    sent_s: Floats
    ended_s: Floats
    queue_ms: Floats
    connect_ms: Floats
    ttft_ms: Floats
    latency_ms: Floats
    tpot_ms: Floats
    stream_close_ms: Floats
    input_tokens: Floats
    output_tokens: Floats

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[Any]]) -> "ChartColumns":
        """Of one block of rows. Instants are seconds since 1970, or texts by ISO 8601 that end in Z."""
        values: dict[str, Sequence[Any]] = dict.fromkeys(NAMES, ())
        if rows:
            values = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
        values["outcome"] = [_CODES[name] for name in values["outcome"]]
        for name in ("sent_s", "ended_s"):
            values[name] = _seconds(values[name])
        columns: dict[str, Any] = {
            name: np.array(column, dtype=np.int64 if name in (*_INTEGERS, "outcome") else np.float64)
            for name, column in values.items()
        }
        return cls(**columns)

    @classmethod
    def joined(cls, blocks: Sequence["ChartColumns"]) -> "ChartColumns":
        """All blocks in one, in their order."""
        blocks = blocks or [cls.of_rows([])]
        return cls(**{name: np.concatenate([getattr(block, name) for block in blocks]) for name in NAMES})

    def __len__(self) -> int:
        return len(self.id)

    @property
    def succeeded(self) -> Mask:
        return np.asarray(self.outcome == _CODES["succeeded"])

    @property
    def failed(self) -> Mask:
        return np.isin(self.outcome, _FAILED)

    @property
    def attempted(self) -> Mask:
        """Those that succeeded or failed, not those that we cut off or never sent."""
        return np.isin(self.outcome, _UNATTEMPTED, invert=True)

    @property
    def sent(self) -> Mask:
        """Those that went out, whatever became of them."""
        return np.asarray(self.outcome != _CODES["dropped"])

    @property
    def begin_s(self) -> float:
        """When the first request was sent; of a run that sent none, when the first one was due. 0 without requests."""
        times = self.sent_s[self.sent] if self.sent.any() else self.sent_s
        return float(times.min()) if len(times) else 0.0


def _seconds(instants: Sequence[Any]) -> Sequence[Any]:
    """Texts as seconds since 1970. Others stay as they are."""
    if not any(isinstance(instant, str) for instant in instants):
        return instants
    # numpy knows no zones.
    dates = np.array([instant and instant.removesuffix("Z") for instant in instants], dtype="datetime64[us]")
    seconds: list[float] = np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / 1e6).tolist()
    return seconds


def listed(values: Floats, digits: int = 3) -> list[float | None]:
    """As JSON: rounded, None for what is unknown."""
    return [None if value != value else value for value in np.round(values, digits).tolist()]
