"""The requests that charts draw one by one: all failures and a random sample of the others."""

from typing import Any

import numpy as np

from shared.benchmark.charts.columns import ChartColumns, Integers, Mask, listed
from shared.benchmark.results.outcome import OUTCOMES

MOST = 2_000
# So many failures at most, if there are also requests that did not fail.
MOST_FAILURES = MOST // 2
_SEED = 16
_TIMES = ("queue_ms", "connect_ms", "ttft_ms", "latency_ms", "stream_close_ms")
_WHOLE = ("stage", "input_tokens", "output_tokens")


def sample(columns: ChartColumns) -> dict[str, Any]:
    """As columns, in the order in which they were sent. The sample is the same each time."""
    chosen = _chosen(columns)
    chosen = chosen[np.lexsort((columns.id[chosen], columns.sent_s[chosen]))]
    return {
        "of": len(columns),
        "sampled": len(chosen) < len(columns),
        "id": columns.id[chosen].tolist(),
        "prompt_index": columns.prompt_index[chosen].tolist(),
        "repetition": columns.repetition[chosen].tolist(),
        "outcome": [OUTCOMES[code] for code in columns.outcome[chosen].tolist()],
        "sent_s": listed(columns.sent_s[chosen] - columns.begin_s, 6),
        "ended_s": listed(columns.ended_s[chosen] - columns.begin_s, 6),
        **{name: listed(getattr(columns, name)[chosen]) for name in _TIMES},
        **{name: _whole(getattr(columns, name)[chosen].tolist()) for name in _WHOLE},
    }


def _chosen(columns: ChartColumns) -> Integers:
    if len(columns) <= MOST:
        return np.arange(len(columns))
    generator = np.random.default_rng(_SEED)

    def drawn(which: Mask, most: int) -> Integers:
        places = np.flatnonzero(which)
        return places if len(places) <= most else generator.choice(places, most, replace=False)

    failed = columns.failed
    others = len(columns) - int(failed.sum())
    failures = drawn(failed, max(MOST_FAILURES, MOST - others))
    return np.concatenate((failures, drawn(~failed, MOST - len(failures))))


def _whole(values: list[float]) -> list[int | None]:
    return [None if value != value else int(value) for value in values]
