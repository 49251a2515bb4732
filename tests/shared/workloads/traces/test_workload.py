"""A trace as a workload: lengths, shared blocks, ids, and its end."""

from collections.abc import Sequence

from shared.benchmark.load.places import place_at
from shared.benchmark.prompt import Parameters
from shared.benchmark.workload.trace_spec import TraceSource, TraceWindow
from shared.benchmark.workload.workload import WorkItem
from shared.workloads.rows import RowList, TraceRow
from shared.workloads.traces.schedule import TraceSchedule
from shared.workloads.traces.texts import TraceTexts
from shared.workloads.traces.workload import TraceWorkload

SECOND = 10**9


def text(tokens: int, key: str) -> str:
    """Words that name their key, one for each token."""
    name = key.replace(" ", "-")
    return " ".join(f"{name}:{number}" for number in range(tokens))


def workload(rows: Sequence[TraceRow], window: TraceWindow | None = None, seed: int = 7) -> TraceWorkload:
    listed = RowList(rows)
    schedule = TraceSchedule(rows, TraceSource(id=1, window=window))
    return TraceWorkload(listed, schedule, TraceTexts(text, seed), "m", "sys", Parameters(temperature=0.5))


def item(made: TraceWorkload, place: int) -> WorkItem:
    found = made.item(place)
    assert found is not None
    return found


def words(found: WorkItem) -> list[str]:
    (message,) = found.messages
    return message["content"].split()


def test_a_request_has_the_lengths_of_the_trace() -> None:
    made = workload([TraceRow(0, 2_000, 30, (1, 2)), TraceRow(0, 40, 5)])
    first, second = item(made, place_at(0, 0)), item(made, place_at(0, 1))
    assert (len(words(first)), first.parameters) == (2_000, Parameters(max_tokens=30, temperature=0.5))
    assert (len(words(second)), second.parameters.max_tokens) == (40, 5)
    assert (first.system, first.think_s) == ("sys", 0)


def test_equal_blocks_are_equal_texts_and_the_rest_is_shared_with_nobody() -> None:
    made = workload(
        [TraceRow(0, 1_100, 1, (4, 5)), TraceRow(0, 1_100, 1, (4, 6)), TraceRow(0, 600, 1, (4, 5)), TraceRow(0, 600, 1)]
    )
    first, second, third, fourth = (words(item(made, place_at(0, number))) for number in range(4))
    assert first[:512] == second[:512] == third[:512]
    assert not set(first[512:]) & set(second[512:])
    # A last block that is not full is the beginning of the block.
    assert third[512:] == first[512:600]
    assert not set(fourth) & {*first, *second, *third}


def test_the_same_seed_gives_the_same_texts_and_another_seed_gives_others() -> None:
    rows = [TraceRow(0, 600, 1, (4,))]
    first = words(item(workload(rows), place_at(0, 0)))
    assert first == words(item(workload(rows), place_at(0, 0)))
    assert not set(first) & set(words(item(workload(rows, seed=8), place_at(0, 0))))


def test_requests_without_blocks_share_no_text_between_parts() -> None:
    made = workload([TraceRow(0, 9, 1)])
    parts = [item(made, place_at(stage, 0, warmup=warmup)) for stage in (0, 1) for warmup in (True, False)]
    assert len({words(found)[0] for found in parts}) == 4


def test_every_part_sends_the_trace_once_and_ends() -> None:
    made = workload([TraceRow(second * SECOND, 9, 1) for second in (3, 1, 2)])
    for stage in (0, 999):
        found = [item(made, place_at(stage, ordinal)) for ordinal in range(3)]
        assert [entry.prompt_index for entry in found] == [1, 2, 0]
        assert [made.id_of(entry.prompt_index, entry.repetition) for entry in found] == [entry.id for entry in found]
        assert made.item(place_at(stage, 3)) is None
    assert made.item(place_at(0, 0), turn=1) is None
    assert made.length is None


def test_rows_outside_the_window_keep_their_numbers_and_are_not_sent() -> None:
    made = workload([TraceRow(second * SECOND, 9, 1) for second in range(5)], TraceWindow(from_s=2.0, to_s=4.0))
    assert [item(made, place_at(0, ordinal)).prompt_index for ordinal in range(2)] == [2, 3]
    assert made.item(place_at(0, 2)) is None
