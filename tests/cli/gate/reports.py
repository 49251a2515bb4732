"""Reports as these tests need them."""

from typing import Any

from cli.gate.judge import Reference, Run, judge
from cli.gate.parse import parse
from cli.gate.report import PinnedBaseline, Report
from tests.cli import documents

HOSTILE = (
    "<img src=x onerror=alert(1)> | `a` **b** [c](javascript:d) @admin #1 https://evil.test www.evil.test"
    " \x1b[31m\u202e\x00\n]]>&amp;"
)


def _run(label: str, benchmark_id: int) -> dict[str, Any]:
    return {
        "label": label,
        "id": benchmark_id,
        "name": HOSTILE,
        "model": HOSTILE,
        "provider": "p",
        "status": "completed",
        "grade": "A",
        "started_at": None,
        "completed_at": None,
        "requests": None,
    }


# As `GET /compare` answers; a test holds it against the schema.
COMPARISON: dict[str, Any] = {
    "reference": 1,
    "runs": [_run("A", 1), _run("B", 2)],
    "differs": [],
    "fair": False,
    "margins": {"percent": 5, "ms": 10, "points": 1},
    "withheld": [],
    "notes": ["The runs were made at different times."],
    "metrics": [
        {
            "metric": "ttft_ms",
            "statistic": "p50",
            "title": "P50 TTFT",
            "unit": "ms",
            "better": "lower",
            "values": [
                {"id": number, "n": 100, "value": value, "interval": None, "needed": None}
                for number, value in ((1, 100.0), (2, 120.0))
            ],
            "differences": [
                {
                    "id": 2,
                    "difference": 20.0,
                    "interval_95": [10.0, 30.0],
                    "interval_90": [12.0, 28.0],
                    "ratio": 1.2,
                    "ratio_interval": [1.1, 1.3],
                    "margin": 10.0,
                    "verdict": "different",
                    "better": False,
                    "basis": "time",
                    "more_requests": None,
                    "sentence": f"{HOSTILE} is slower.",
                }
            ],
        }
    ],
}


def spread(value: float, interval: list[float]) -> dict[str, Any]:
    return {**documents.spread(*[value] * 100), "p50": value, "p50_ci95": interval}


def report(*rules: str, strict: bool = False, with_baseline: bool = False, **changes: Any) -> Report:
    """TTFT P50 of 120 ms [110, 130]; the baseline's is 100 ms."""
    summary = documents.summary(succeeded=100, ttft_ms=spread(120, [110, 130]))
    benchmark = documents.benchmark(2, **{"summary": summary, **changes})
    reference = Reference(Run(1, documents.summary(succeeded=100, ttft_ms=spread(100, [95, 105]))), COMPARISON)
    run = Run(2, benchmark["summary"])
    return Report(
        benchmark,
        [judge(parse(rule), run, reference if with_baseline else None) for rule in rules],
        strict=strict,
        baseline=PinnedBaseline(1, "main") if with_baseline else None,
        comparison=COMPARISON if with_baseline else None,
        url="https://bench.test",
    )


FAILED, UNDECIDED, PASSED = "ttft_ms.p50 > 100", "ttft_ms.p50 > 115", "ttft_ms.p50 > 200"
