"""The arithmetic of limits: a minute that slides, what is left, and when to try again."""

import pytest

from shared.access.request_limits import WINDOW_MS, Decision, RequestLimits, Window, used

LIMITS = RequestLimits(600, 32)


def refused(count: int, before: int, elapsed_ms: int, per_minute: int = 600) -> Decision:
    return Decision(RequestLimits(per_minute, 0), "minute", 0, count, before, elapsed_ms)


def test_the_minute_before_counts_for_what_is_left_of_it() -> None:
    assert used(10, 600, 0) == 610
    assert used(10, 600, WINDOW_MS // 2) == 310
    assert used(10, 600, WINDOW_MS) == 10


def test_a_window_keeps_the_count_of_the_minute_before_and_no_older_one() -> None:
    window = Window()
    assert window.move_to(5 * WINDOW_MS + 1_000) == 1_000
    window.count = 7
    assert window.move_to(6 * WINDOW_MS) == 0
    assert (window.count, window.before) == (0, 7)
    window.count = 3
    window.move_to(8 * WINDOW_MS)
    assert (window.count, window.before) == (0, 0)


def test_what_is_left_is_never_below_zero() -> None:
    assert Decision(LIMITS, None, 1, 1, 0, 0).left == 599
    assert Decision(LIMITS, None, 40, 700, 0, 0).left == 0
    assert Decision(LIMITS, None, 40, 1, 0, 0).places_left == 0


@pytest.mark.parametrize(
    ("count", "before", "elapsed_ms"),
    [(600, 0, 10_000), (0, 600, 1), (300, 600, 20_000), (599, 30, 0), (600, 600, 59_999), (700, 0, 0)],
)
def test_after_the_wait_a_request_is_allowed(count: int, before: int, elapsed_ms: int) -> None:
    """And a second before that it would not be, unless the shortest wait of a second is longer than needed."""
    wait_s = refused(count, before, elapsed_ms).wait_s
    assert 1 <= wait_s <= 120

    def allowed_after(seconds: float) -> bool:
        at_ms = elapsed_ms + round(seconds * 1_000)
        if at_ms < WINDOW_MS:
            return used(count, before, at_ms) + 1 <= 600
        return used(0, count, at_ms - WINDOW_MS) + 1 <= 600

    assert allowed_after(wait_s)
    assert wait_s == 1 or not allowed_after(wait_s - 1)
    # Clients that follow the header instead of Retry-After must not come too early.
    assert refused(count, before, elapsed_ms).more_s == wait_s


def test_with_a_limit_of_one_a_minute_the_wait_is_until_then() -> None:
    assert refused(1, 0, 30_000, per_minute=1).wait_s == 90


def test_the_header_says_when_there_may_be_more() -> None:
    assert Decision(LIMITS, None, 1, 1, 0, 45_000).more_s == 15
    # The last request of a minute: when it is over, its requests still count.
    assert Decision(LIMITS, None, 1, 600, 0, 45_000).more_s == refused(600, 0, 45_000).wait_s == 16


def test_nobody_knows_when_a_place_becomes_free() -> None:
    assert Decision(LIMITS, "concurrent", 32, 0, 0, 0).wait_s == 1
