"""Numbers the requests of a run with stages, so that each place says to which stage it belongs.

A run has up to 1,000 stages. Each has two parts: its warm-up and its measured part. Each part has places of its own, so
the requests of a stage do not depend on how many the stages before it have sent. A run without a `load` and a
`workload` of its own has one part, with the places 0, 1, 2 …
"""

PLACES_A_PART = 1_000_000
MAX_STAGES = 1_000


def place_at(stage: int, ordinal: int, *, warmup: bool = False) -> int:
    """The place of a part's request number `ordinal`, from 0. Raises ValueError if there is no such place."""
    if not (0 <= stage < MAX_STAGES and 0 <= ordinal < PLACES_A_PART):
        raise ValueError(f"there is no request {ordinal} of stage {stage}")
    return (2 * stage + (not warmup)) * PLACES_A_PART + ordinal


def part_of(place: int) -> int:
    """Twice the number of the stage, and one more for its measured part."""
    return place // PLACES_A_PART


def stage_of(place: int) -> int:
    return part_of(place) // 2


def ordinal_of(place: int) -> int:
    """Which request of its part it is, from 0."""
    return place % PLACES_A_PART


def is_warmup(place: int) -> bool:
    """Whether it belongs to a stage's warm-up. Only for runs with stages."""
    return part_of(place) % 2 == 0
