"""The leaderboard of a prompt set: the latest run of each model at each endpoint, all under the same load."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from shared.benchmark.history.metrics import HistoryMetric
from shared.benchmark.history.run import Run
from shared.benchmark.history.settings import Difference, Settings, differences


@dataclass(frozen=True, slots=True)
class Apart:
    """The latest run of a model at an endpoint that has none under the load of the others, and how it differs."""

    run: Run
    differs: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Board:
    """`like`: the run whose settings the rows share. None: there are no runs."""

    like: Run | None
    rows: Sequence[Run]
    apart: Sequence[Apart]


def board_of(runs: Sequence[Run], metric: HistoryMetric, like: Run | None = None) -> Board:
    """`runs`: of one prompt set. Rows are sorted, the best first, those without the number last.

    `like`: the run whose settings count; by default those that most models at endpoints have, of several the newest.
    """
    newest_first = sorted(runs, key=lambda run: (run.started_at, run.id), reverse=True)
    if not newest_first:
        return Board(None, [], [])
    # Once for each: reading them out of a thousand specs takes a while.
    with_settings = [(run, run.load_settings) for run in newest_first]
    like = like or _most_common(with_settings)
    wanted = like.load_settings
    rows: dict[Hashable, Run] = {}
    others: dict[Hashable, Apart] = {}
    for run, settings in with_settings:
        differs = differences(settings, wanted)
        if not differs:
            rows.setdefault(_place(run), run)
        else:
            others.setdefault(_place(run), Apart(run, differs))
    sign = 1 if metric.better == "lower" else -1

    def key(run: Run) -> tuple[bool, float]:
        value = run.read(metric).value
        return value is None, 0.0 if value is None else sign * value

    return Board(like, sorted(rows.values(), key=key), [apart for place, apart in others.items() if place not in rows])


def _place(run: Run) -> Hashable:
    return run.model, run.provider


def _most_common(newest_first: Sequence[tuple[Run, Settings]]) -> Run:
    """The newest run with the settings that most models at endpoints have had."""
    # For each kind of settings: the newest run that has them, and the models at endpoints that have had them.
    kinds: list[tuple[Settings, Run, set[Hashable]]] = []
    alike: defaultdict[Hashable, list[int]] = defaultdict(list)
    for run, settings in newest_first:
        numbers = alike[settings.kept]
        number = next((at for at in numbers if not differences(settings, kinds[at][0])), len(kinds))
        if number == len(kinds):
            kinds.append((settings, run, set()))
            numbers.append(number)
        kinds[number][2].add(_place(run))
    # Of several with as many, the first, which is the newest.
    return max(kinds, key=lambda kind: len(kind[2]))[1]
