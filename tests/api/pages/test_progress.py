"""What a running benchmark does, in words."""

from datetime import timedelta
from typing import Any

import pytest

from api.pages.progress import doing
from shared.benchmark.run_spec import RunSpec
from tests.api.live.test_feeds import AT, state


def said(spec: dict[str, Any] | None = None, *, after_s: float = 10, **changes: Any) -> str:
    made = RunSpec.of_stored({"name": "n", "model": "m", "concurrency": 8, **(spec or {})})
    return doing(state(**{"planned": 1_000, "read_at": AT + timedelta(seconds=after_s), **changes}), made)


def live(rate: float, **stage: Any) -> dict[str, Any]:
    return {"recent": {"request_rate": rate}, "stage": stage or None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (said(done=412, live=live(14.7)), "Sending 8 at a time, 412 of 1,000, about 40 s left."),
        (said(done=100), "Sending 8 at a time, 100 of 1,000, about 90 s left."),
        (said(done=100, live=live(0.641)), "Sending 8 at a time, 100 of 1,000, about 23 min left."),
        (said(done=0), "Sending 8 at a time, 0 of 1,000."),
        (said(done=1_000, live=live(10)), "Sending 8 at a time, 1,000 of 1,000."),
        (said({"concurrency": 1}, done=0), "Sending one at a time, 0 of 1,000."),
        (said({"request_rate": 2.5}, done=0), "Sending 2.50 a second, 0 of 1,000."),
        (said(status="pending", started_at=None), "Waiting for a worker, for 10 s."),
        (said(cancel_requested_at=AT, done=5), "Being cancelled: the worker closes the streams, 5 of 1,000."),
    ],
)
def test_it_says_what_happens_how_far_it_is_and_how_long_it_takes(text: str, expected: str) -> None:
    assert text == expected


def test_a_load_that_ends_by_its_duration_says_what_is_left_of_it() -> None:
    load = {"concurrency": 4, "duration_s": 60}
    spec = {"load": load, "concurrency": 1}
    assert said(spec, planned=0, done=33) == "Sending 4 at a time, 33 requests so far, about 50 s left."
    assert said(spec, planned=0, done=33, after_s=70) == "Sending 4 at a time, 33 requests so far."


def test_the_stage_of_a_load_is_named() -> None:
    load = {"stages": [{"name": "calm", "concurrency": 2, "requests": 5}, {"concurrency": 9, "requests": 5}]}
    now = live(1, number=0, label={"name": "calm", "concurrency": 2})
    text = said({"load": load, "concurrency": 1}, planned=10, done=2, live=now)
    assert text == "Sending 2 at a time in stage 1 (calm), 2 of 10, about 8 s left."
