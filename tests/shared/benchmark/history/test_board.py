"""The leaderboard: the latest comparable run of each model at each endpoint."""

from shared.benchmark.history.board import Board, board_of
from shared.benchmark.history.metrics import METRICS
from shared.benchmark.history.settings import Difference
from tests.shared.benchmark.history.runs import run, spec_of

TTFT = METRICS["ttft_p50_ms"]
BUSY = spec_of(concurrency=64)


def ids(board: Board) -> list[int]:
    return [item.id for item in board.rows]


def test_the_latest_run_of_each_model_at_each_endpoint_counts_and_the_best_comes_first() -> None:
    runs = [
        run(1, 50.0, model="a"),
        run(2, 300.0, model="a"),
        run(3, 200.0, model="b"),
        run(4, 100.0, model="a", provider="other"),
    ]
    assert ids(board_of(runs, TTFT)) == [4, 3, 2]


def test_a_metric_of_which_more_is_better_is_sorted_the_other_way_and_unknown_comes_last() -> None:
    metric = METRICS["output_token_throughput"]
    runs = [
        run(number, model=f"m{number}", summary={"output_token_throughput": value})
        for number, value in enumerate([None, 50.0, 90.0])
    ]
    assert ids(board_of(runs, metric)) == [2, 1, 0]


def test_costs_are_sorted_as_numbers_although_they_are_stored_as_texts() -> None:
    metric = METRICS["cost_per_request_usd"]
    runs = [
        run(number, model=f"m{number}", summary={"cost": {"per_succeeded_usd": value}})
        for number, value in enumerate(["10.5", "9.25", "2E-7", "0.001"])
    ]
    assert ids(board_of(runs, metric)) == [2, 3, 1, 0]


def test_the_settings_that_most_models_have_count_and_others_stand_apart_with_the_reason() -> None:
    runs = [
        run(1, model="a"),
        run(2, model="b"),
        # Newer, but under another load: of `a` an older run is comparable, of `c` none.
        run(3, model="a", spec=BUSY),
        run(4, model="c", spec=BUSY),
        run(5, model="c", spec=spec_of(concurrency=2)),
    ]
    board = board_of([*runs, run(6, model="d")], TTFT)
    assert sorted(ids(board)) == [1, 2, 6]
    assert [(item.run.id, item.differs) for item in board.apart] == [(5, [Difference("load.concurrency", 2, 4)])]


def test_of_settings_that_as_many_have_the_newest_count() -> None:
    board = board_of([run(1, model="a"), run(2, model="b", spec=BUSY)], TTFT)
    assert ids(board) == [2]
    assert board.like is not None
    assert board.like.id == 2


def test_settings_can_be_chosen() -> None:
    runs = [run(1, model="a"), run(2, model="b"), run(3, model="c", spec=BUSY)]
    board = board_of(runs, TTFT, like=runs[2])
    assert (ids(board), sorted(item.run.id for item in board.apart)) == ([3], [1, 2])


def test_endpoints_differ_on_purpose() -> None:
    runs = [run(1, model="a"), run(2, provider="o", endpoint={"base_url": "http://o.test", "fingerprint": "f9"})]
    assert sorted(ids(board_of(runs, TTFT))) == [1, 2]


def test_a_set_without_runs_has_an_empty_board() -> None:
    assert board_of([], TTFT) == Board(None, [], [])
