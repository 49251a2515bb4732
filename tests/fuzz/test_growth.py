"""Twice as many bytes take about twice as long, whatever they are. Answers that make a decoder look back do not."""

import time

import pytest

from tests.fuzz.large import ANSWERS, REFUSALS
from tests.fuzz.sent import Sent, measure
from tests.support.servers.scripted import cut

# Work that grows with the square of the size takes four times as long for twice the size, each time. A machine whose
# cores are shared makes one measurement longer, not several in a row.
MOST_GROWTH = 3
ATTEMPTS = 4
ENOUGH_S = 0.02
# Sizes are doubled until the answer takes long enough for a comparison, or has this size.
FIRST_SIZE, LAST_SIZE = 30_000, 1_000_000
# At most so many bytes of an error answer are read.
REFUSAL_SIZE = 32_000


def duration_s(status: int, reads: list[bytes]) -> float:
    """Processor time of the quickest of three."""
    sent = Sent("large", "openai", status, (), tuple(enumerate(reads)), "complete")
    taken = []
    for _ in range(3):
        begin = time.thread_time()
        measure(sent)
        taken.append(time.thread_time() - begin)
    return min(taken)


def assert_growth(status: int, half: list[bytes], whole: list[bytes]) -> None:
    growths = []
    while not growths or (growths[-1] >= MOST_GROWTH and len(growths) < ATTEMPTS):
        # Less is too little to compare, unless the whole takes much: then that is too much.
        half_s = max(duration_s(status, half), ENOUGH_S)
        growths.append(duration_s(status, whole) / half_s)
    assert min(growths) < MOST_GROWTH, growths


@pytest.mark.parametrize("name", ANSWERS)
def test_time_grows_with_the_size_of_an_answer(name: str) -> None:
    size, taken_s = FIRST_SIZE, duration_s(200, ANSWERS[name](FIRST_SIZE))
    while taken_s < ENOUGH_S and size < LAST_SIZE:
        size, taken_s = 2 * size, duration_s(200, ANSWERS[name](2 * size))
    if taken_s >= ENOUGH_S:
        assert_growth(200, ANSWERS[name](size), ANSWERS[name](2 * size))


@pytest.mark.parametrize("name", REFUSALS)
def test_time_grows_with_the_size_of_an_error_answer(name: str) -> None:
    assert_growth(500, cut(REFUSALS[name](REFUSAL_SIZE), 4_096), cut(REFUSALS[name](2 * REFUSAL_SIZE), 4_096))
