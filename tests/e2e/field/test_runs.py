"""What a run's summary says of its cases."""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.field.all_runs import HANGING, QUEUED, RUNS, RUNS_BY_NAME, TTFT_S
from tests.e2e.field.case import Case
from tests.e2e.field.cases import CASES
from tests.e2e.field.runs import Run, Seen

BY_NAME = {case.name: case for case in CASES}


def _document(seen: Seen, name: str) -> dict[str, Any]:
    """What the API says of a run, as it was measured with the fewest late reads."""
    return seen.documents[seen.best(RUNS_BY_NAME[name]).name]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
async def test_every_request_has_a_result_and_an_end(seen: Seen, run: Run) -> None:
    document = seen.documents[run.name]
    assert len(document["results"]) == len(run.cases) * run.spec.get("repetitions", 1)
    assert document["summary"]["requests"]["warmup"] == run.spec.get("warmup", 0)
    # A run without any success has failed, for this reason alone.
    assert document["error"] is None or document["error"]["kind"] == "all_requests_failed"
    for result in document["results"]:
        assert result["ended_at"] is not None
        assert result["ended_at"] >= result["sent_at"]


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_requests_that_time_out_are_part_of_the_duration(seen: Seen, transport: str) -> None:
    """Eight of sixteen get no answer. The others take 0.2 s."""
    summary = _document(seen, f"hanging.{transport}")["summary"]
    assert (summary["requests"]["succeeded"], summary["requests"]["timed_out"]) == (8, 8)
    assert TTFT_S <= summary["duration_s"] <= TTFT_S + 2
    assert summary["request_throughput"] == pytest.approx(8 / summary["duration_s"])
    assert summary["error_latency_ms"]["count"] == 8
    assert summary["error_latency_ms"]["min"] >= TTFT_S * 1_000 - 5
    assert summary["latency_ms"]["count"] == 8
    assert summary["latency_ms"]["max"] < TTFT_S * 1_000
    assert summary["concurrency"]["peak"] == len(HANGING)


async def test_a_request_that_waits_for_its_turn_waits_in_queue_ms(seen: Seen) -> None:
    run = seen.best(RUNS_BY_NAME["queued.auto"])
    results = [seen.result(run, case) for case in QUEUED]
    # The last one waits for four others. Its wait is no part of its latency.
    assert all(495 <= result["latency_ms"] < 4 * 495 for result in results)
    assert all(result["queue_ms"] >= 495 * number for number, result in enumerate(results))
    assert [result["connection_reused"] for result in results] == [False, True, True, True, True]


async def test_a_filled_prompt_cache_is_visible_and_warm_up_has_a_prefix_of_its_own(seen: Seen) -> None:
    run, case = seen.best(RUNS_BY_NAME["cache.openai.m.auto"]), BY_NAME["prompt-from-a-cache"]
    summary = seen.documents[run.name]["summary"]
    assert summary["cached_share"] == pytest.approx(8111 / 8112)
    assert summary["flags"]["prompt_cached"] == 5
    prompts = Counter(str(attempt.body["messages"]) for attempt in seen.attempts_at(run, case))
    assert sorted(prompts.values()) == [1, 5]
    (warm_up,) = (text for text, count in prompts.items() if count == 1)
    (measured,) = (text for text, count in prompts.items() if count == 5)
    # They differ from the first characters on, so no server can share a prefix of any length.
    begin = measured.index("case:")
    assert warm_up[begin : begin + 5] != measured[begin : begin + 5]


async def test_finish_reasons_have_a_distribution(seen: Seen) -> None:
    summary = _document(seen, "finishes.openai.m.auto")["summary"]
    assert summary["finish_reasons"] == {"length": 2, "content_filter": 1, "stop": 1}
    assert summary["flags"].items() >= {"cut_by_max_tokens": 2, "filtered": 1, "no_answer": 1}.items()


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_oddities_are_findings_with_their_effect(seen: Seen, transport: str) -> None:
    document = _document(seen, f"main.openai.m.{transport}")
    summary = document["summary"]
    findings = {finding["finding"]: finding for finding in summary["conformance"]}
    counts = [finding["requests"] for finding in summary["conformance"]]
    assert counts == sorted(counts, reverse=True)
    for name in (
        "buffered",
        "reasoning_hidden",
        "usage_misplaced",
        "usage_decreased",
        "not_streamed",
        "mislabelled",
        "events_unseparated",
        "bare_json",
        "keep_alive_data",
        "compressed",
        "no_terminal_event",
        "sent_after_end",
    ):
        flagged = [result for result in document["results"] if name in result["flags"]]
        assert flagged, name
        assert findings[name]["requests"] == summary["flags"][name] == len(flagged)
        assert findings[name]["meaning"]
        assert findings[name]["effect"]


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_failures_enter_no_latency_statistic(seen: Seen, transport: str) -> None:
    document = _document(seen, f"main.openai.m.{transport}")
    summary, succeeded = document["summary"], [r for r in document["results"] if r["outcome"] == "succeeded"]
    for name in ("ttft_ms", "latency_ms", "tokens_per_second"):
        assert summary[name]["count"] == sum(result[name] is not None for result in succeeded)
    failed = [r for r in document["results"] if r["outcome"] not in ("succeeded", "cancelled")]
    assert summary["error_latency_ms"]["count"] == len(failed)
    assert sum(summary["error_kinds"].values()) == len(failed)


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_a_request_that_was_sent_twice_is_a_possible_duplicate(seen: Seen, transport: str) -> None:
    document = _document(seen, f"kept.openai.m.{transport}")
    assert [result["prompt"] for result in document["results"] if "connection_renewed" in result["flags"]] == [
        "case:kept-3-closed-at-once"
    ]
    assert document["summary"]["possible_duplicates"]["requests"] == 1


async def test_a_refused_field_is_left_out_for_that_model_alone(seen: Seen) -> None:
    old, new = RUNS_BY_NAME["one-model.openai.old.auto"], RUNS_BY_NAME["other-model.openai.new.auto"]

    def asked(run: Run, case: Case) -> list[bool]:
        return ["stream_options" in attempt.body for attempt in seen.attempts_at(run, case)]

    assert asked(old, BY_NAME["refused-for-one-model"]) == [True, False]
    assert asked(new, BY_NAME["asked-for-another-model"]) == [True]
