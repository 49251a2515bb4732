"""`make bench-aa`: how often a comparison of a run with itself says *different*, and how often it finds what is there.

A run is simulated, its prompts or blocks of time are dealt at random to two halves, and the halves are compared as
`GET /compare` does it. Prints the tables of docs/comparing.md.
"""

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.comparison.measure import ERRORS, QUANTILES, Margins
from shared.comparison.pair import quantile_difference
from shared.comparison.run_rows import RunRows
from shared.comparison.shares import error_difference
from shared.comparison.verdict import verdict_of

SIZES = (24, 100, 1_000, 10_000)
# The most that may be called different of what is the same.
MOST = 0.06
MEASURES = tuple(measure for measure in QUANTILES if measure.metric == "ttft_ms")
# The true difference that is to be found.
EFFECT = 1.2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A run: TTFT in ms and prompt of each request, in order of time, and the half that each belongs to.

    `same_texts`: both halves have the same prompts.
    """

    values: Floats
    prompts: Ints
    in_first: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    same_texts: bool = False


def _dealt(units: Ints, generator: Generator) -> NDArray[np.bool_]:
    """Half of the units at random; their requests."""
    count = int(units.max()) + 1
    chosen = np.zeros(count, dtype=bool)
    chosen[generator.permutation(count)[: count // 2]] = True
    return chosen[units]


def _once(values: Floats, generator: Generator, failed: NDArray[np.bool_] | None = None) -> Simulated:
    """Each prompt once, dealt one by one."""
    prompts = np.arange(len(values))
    fails = generator.random(len(values)) < 0.02 if failed is None else failed
    return Simulated(values, prompts, _dealt(prompts, generator), fails)


def lognormal(count: int, generator: Generator) -> Simulated:
    return _once(generator.lognormal(5, 0.5, count), generator)


def heavy_tail(count: int, generator: Generator) -> Simulated:
    return _once(100 * (1 + generator.pareto(1.5, count)), generator)


def two_modes(count: int, generator: Generator) -> Simulated:
    """Cache hits and misses."""
    hit = generator.random(count) < 0.3
    return _once(np.where(hit, generator.lognormal(4, 0.1, count), generator.lognormal(6, 0.1, count)), generator)


def rounded(count: int, generator: Generator) -> Simulated:
    """A clock of 10 ms: most values are equal to others."""
    return _once(np.round(generator.lognormal(4, 0.3, count), -1), generator)


def _of_prompts(count: int, generator: Generator) -> tuple[Floats, Ints]:
    """Four requests of each prompt, in rounds. Prompts differ far more than the requests of one."""
    number = count // 4
    prompts = np.tile(np.arange(number), 4)
    effects = generator.normal(0, 0.6, number)
    return np.exp(5 + effects[prompts] + generator.normal(0, 0.2, len(prompts))), prompts


def other_prompts(count: int, generator: Generator) -> Simulated:
    """The halves have different prompts."""
    values, prompts = _of_prompts(count, generator)
    return Simulated(values, prompts, _dealt(prompts, generator), generator.random(len(values)) < 0.02)


def same_prompts(count: int, generator: Generator) -> Simulated:
    """Each half has two of the four rounds."""
    values, prompts = _of_prompts(count, generator)
    rounds = np.repeat(np.arange(4), count // 4)
    failed = generator.random(len(values)) < 0.02
    return Simulated(values, prompts, _dealt(rounds, generator), failed, same_texts=True)


def slow_server(count: int, generator: Generator) -> Simulated:
    """A server that is fast for a while and slow for a while: each value remembers nine before. Dealt by blocks."""
    steps = generator.normal(size=count)
    states = np.empty(count)
    states[0] = steps[0]
    for place in range(1, count):
        states[place] = 0.8 * states[place - 1] + 0.6 * steps[place]
    blocks = 2 * max(3, min(20, count // 20))
    units = np.arange(count) * blocks // count
    # It also fails in bursts.
    return Simulated(np.exp(5 + 0.5 * states), np.arange(count), _dealt(units, generator), states > 2)


SHAPES: dict[str, Callable[[int, Generator], Simulated]] = {
    "lognormal, each prompt once": lognormal,
    "heavy tail (Pareto 1.5)": heavy_tail,
    "two modes (cache hits)": two_modes,
    "rounded to 10 ms": rounded,
    "strong prompts, other ones": other_prompts,
    "strong prompts, the same": same_prompts,
    "slow and fast times": slow_server,
}


def _half(run: Simulated, chosen: NDArray[np.bool_], factor: float = 1.0) -> RunRows:
    values = run.values[chosen] * factor
    return RunRows(run.prompts[chosen], ~run.failed[chosen], {"ttft_ms": values}, np.full(len(values), math.nan))


@dataclass
class Counts:
    """How often the verdict was `different`, how often the interval excluded 0, and how often there was a verdict."""

    tries: int = 0
    different: int = 0
    excluded: int = 0
    decided: int = 0


def tried(
    shape: Callable[[int, Generator], Simulated], count: int, tries: int, seed: int, factor: float
) -> list[Counts]:
    """Of each measure, the error share last. `factor`: by which the second half is truly slower."""
    found = [Counts() for _ in (*MEASURES, ERRORS)]
    for number in range(tries):
        run = shape(count, np.random.default_rng([seed, count, number]))
        first, second = _half(run, run.in_first), _half(run, ~run.in_first, factor)
        for counts, measure in zip(found, (*MEASURES, ERRORS), strict=True):
            if measure is ERRORS:
                difference = error_difference(first, second)
            else:
                difference = quantile_difference(measure, first, second, same_texts=run.same_texts)
            if difference.value is None or difference.reference.value is None:
                continue
            verdict = verdict_of(difference, Margins().of(measure, difference.reference.value))
            counts.tries += 1
            counts.different += verdict == "different"
            counts.excluded += verdict in ("different", "too_small_to_matter")
            counts.decided += verdict != "too_early"
    return found


def _cell(counts: Counts, tries: int, name: str) -> str:
    # A percentile that most tries cannot compare says nothing.
    if counts.tries < tries / 2:
        return "–"
    return f"{getattr(counts, name) / counts.tries:.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aa", description=__doc__)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--only", default="", help="shapes whose names contain this")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--power-tries", type=int, default=100, help="tries with a true difference")
    arguments = parser.parse_args()
    worst = 0.0
    titles = [measure.statistic.upper() for measure in MEASURES]
    for title, factor, names, tries in (
        ("The same run in halves", 1.0, ("different", "excluded"), arguments.tries),
        ("The second half is 20 % slower", EFFECT, ("different",), arguments.power_tries),
    ):
        print(f"\n**{title}** ({tries} tries)\n")
        columns = [f"{head}: {name}" for head in (*titles, "errors")[: 4 if factor == 1.0 else 3] for name in names]
        print("| data | requests | " + " | ".join(columns) + " |")
        print("|---|---:|" + "---:|" * len(columns))
        for name, shape in SHAPES.items():
            if arguments.only not in name:
                continue
            for count in arguments.sizes:
                found = tried(shape, count, tries, arguments.seed, factor)
                shown = found if factor == 1.0 else found[:-1]
                cells = [_cell(counts, tries, column) for counts in shown for column in names]
                print(f"| {name} | {count:,} | " + " | ".join(cells) + " |", flush=True)
                if factor == 1.0:
                    shares = [item.different / item.tries for item in found if item.tries >= tries / 2]
                    worst = max(worst, *shares)
    print(f"\nworst share of *different* where nothing differs: {worst:.1%} (at most {MOST:.0%})")
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
