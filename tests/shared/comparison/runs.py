"""Runs as these tests compare them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from shared.benchmark.run_spec import RunSpec
from shared.comparison.compared import Compared
from shared.comparison.run_rows import QUANTILE_METRICS, RunRows

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def rows(
    values: Sequence[float] | np.ndarray,
    prompts: Sequence[int] | np.ndarray | None = None,
    *,
    failed: Sequence[int] = (),
    cost_usd: float | np.ndarray = math.nan,
) -> RunRows:
    """A run whose metrics all have these values. `failed`: places of requests that failed."""
    data = np.array(values, dtype=float)
    succeeded = np.ones(len(data), dtype=bool)
    succeeded[list(failed)] = False
    return RunRows(
        np.arange(len(data)) if prompts is None else np.array(prompts, dtype=np.int64),
        succeeded,
        dict.fromkeys(QUANTILE_METRICS, data),
        np.full(len(data), cost_usd),
    )


def run(label: str = "A", *, after_s: float = 0, summary: dict[str, Any] | None = None, **changes: Any) -> Compared:
    """`changes`: of the fields and of the spec. `after_s`: when it started; it took a minute."""
    own = {
        name: changes.pop(name)
        for name in ("model", "status", "prompt_set", "endpoint", "has_texts")
        if name in changes
    }
    spec = RunSpec.model_validate({"name": f"run {label}", "model": "sim", **changes})
    return Compared(
        **{
            "label": label,
            "id": ord(label) - 64,
            "name": spec.name,
            "model": "sim",
            "provider": "simulator",
            "status": "completed",
            "spec": spec,
            "summary": {"measurement": {"grade": "A"}, **(summary or {})},
            "endpoint": None,
            "prompt_set": "5f",
            "started_at": AT + timedelta(seconds=after_s),
            "completed_at": AT + timedelta(seconds=after_s + 60),
            **own,
        }
    )
