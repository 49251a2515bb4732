"""The requests that are drawn one by one."""

from random import Random

from shared.benchmark.charts.sample import MOST, sample
from tests.shared.benchmark.charts.rows import columns, row


def test_few_requests_are_all_there_in_the_order_of_their_sends() -> None:
    rows = [row(2), row(0, stage=1, connect_ms=31.7, input_tokens=None), row(1, outcome="errored", ttft_ms=None)]
    found = sample(columns(*rows))
    assert (found["of"], found["sampled"]) == (3, False)
    assert (found["id"], found["sent_s"]) == ([1, 2, 3], [0, 1, 2])
    assert found["outcome"] == ["succeeded", "errored", "succeeded"]
    assert (found["stage"], found["connect_ms"], found["input_tokens"]) == (
        [1, None, None],
        [31.7, None, None],
        [None, 20, 20],
    )
    assert found["ttft_ms"] == [100, None, 100]
    assert found["ended_s"] == [0.5, 1.5, 2.5]
    assert isinstance(found["output_tokens"][0], int)


def test_all_failures_are_kept_and_the_others_are_drawn_evenly() -> None:
    outcomes = ["errored"] * 300 + ["succeeded"] * 19_700
    Random(5).shuffle(outcomes)
    rows = [row(number, outcome=outcome, sent_s=number / 100) for number, outcome in enumerate(outcomes)]
    found = sample(columns(*rows))
    assert (found["of"], found["sampled"], len(found["id"])) == (20_000, True, MOST)
    assert found["outcome"].count("errored") == 300
    assert found["sent_s"] == sorted(found["sent_s"])
    early = sum(
        place <= 10_000 for place, outcome in zip(found["id"], found["outcome"], strict=True) if outcome != "errored"
    )
    # Of 1,700, with a standard deviation of about 20.
    assert abs(early - 850) < 120
    assert sample(columns(*rows)) == found


def test_failures_leave_room_for_others() -> None:
    rows = [row(number, outcome="errored" if number % 10 else "succeeded") for number in range(20_000)]
    found = sample(columns(*rows))
    assert len(found["id"]) == MOST
    assert found["outcome"].count("succeeded") == MOST // 2
    all_failed = sample(columns(*[row(number, outcome="timed_out") for number in range(5_000)]))
    assert all_failed["outcome"] == ["timed_out"] * MOST
    few = sample(columns(*[row(number, outcome="errored" if number > 9 else "succeeded") for number in range(5_000)]))
    assert few["outcome"].count("succeeded") == 10


def test_nothing_has_no_requests() -> None:
    found = sample(columns())
    assert (found["of"], found["sampled"], found["id"]) == (0, False, [])
