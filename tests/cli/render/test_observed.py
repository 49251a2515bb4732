"""The server's own metrics as lines for people."""

from typing import Any

from api.schemas.observations import ObservedOut, ProbesOut
from cli.render.benchmark import benchmark_lines
from cli.render.observed import MAX_STAGES
from tests.cli import documents


def series(unit: str, mean: float, most: float) -> dict[str, Any]:
    return {"unit": unit, "mean": mean, "max": most, "end": 0.0, "samples": 60}


def observed(failures: dict[str, int] | None = None, **found: dict[str, Any]) -> dict[str, Any]:
    document = {
        "begin_at": "2025-01-15T10:30:00Z",
        "end_at": "2025-01-15T10:31:00Z",
        "samples": 60,
        "failures": failures or {},
        "series": found,
    }
    ObservedOut.model_validate(document)
    return document


SERVER = observed(
    running=series("requests", 31.42, 64),
    waiting=series("requests", 2.1, 30),
    kv_cache_usage=series("share", 0.451, 0.912),
    prefix_cache_hit_rate=series("share", 0.39, 1.0),
    generation_tokens_per_second=series("tokens/s", 1234.5, 2000.0),
    power_w=series("W", 1390.2, 2750.0),
)


def lines(stages: list[dict[str, Any]] | None = None, **summary: Any) -> list[str]:
    benchmark = documents.benchmark(summary=documents.summary(**summary), stages=stages or [])
    return [line.text for line in benchmark_lines(benchmark)]


def test_means_and_peaks_stand_beside_the_numbers() -> None:
    found = lines(observed=SERVER)
    place = found.index("Server       running 31.4 (max 64.0), waiting 2.10 (max 30.0)")
    assert found[place + 1 : place + 4] == [
        "             KV cache 45% (max 91%), prefix hits 39% (max 100%)",
        "             generated 1,234.5 (max 2,000.0) tokens/s",
        "             power 1,390.2 (max 2,750.0) W",
    ]


def test_several_stages_have_a_line_each_up_to_a_bound() -> None:
    of_stage = documents.summary(observed=SERVER)
    stages = [documents.stage(number, summary=of_stage) for number in range(MAX_STAGES + 2)]
    found = lines(stages, observed=SERVER)
    assert sum(line.startswith("  stage ") for line in found) == MAX_STAGES
    assert "             and 2 more stages" in found
    assert not any(line.startswith("  stage ") for line in lines(stages[:1], observed=SERVER))


def test_what_could_not_be_read_is_said() -> None:
    assert "Server       its metrics could not be read: timed_out 4, http_error 1" in lines(
        observed=observed({"http_error": 1, "timed_out": 4})
    )


def test_nothing_observed_has_no_line() -> None:
    for summary in ({}, {"observed": None}):
        assert not any(line.startswith("Server") for line in lines(**summary))


def test_probes_stand_apart() -> None:
    probes = {
        "requests": {"succeeded": 58, "failed": 1, "dropped": 0},
        "ttft_ms": documents.spread(*[12.0] * 58),
        "cost_usd": "0.000058",
        "unpriced_requests": 1,
    }
    ProbesOut.model_validate(probes)
    text = "Probes       58 of one token, TTFT 12.0 ms (p50), 12.0 ms (p95), 12.0 ms at most; 1 failed; $0.0000580"
    assert text in lines(probes=probes)
    nothing = {**probes, "requests": {"succeeded": 0, "failed": 0, "dropped": 3}, "ttft_ms": documents.spread()}
    assert "Probes       0 of one token; 3 dropped" in lines(probes={**nothing, "cost_usd": None})
