"""The interval of a share of requests, which may depend on each other because prompts were repeated."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shared.benchmark.results.outcome import FAILURES
from shared.numbers.student import t_quantile
from shared.numbers.wilson import wilson_interval

_Z95 = 1.959963984540054

# (requests that count, all attempted requests) of one prompt.
Group = tuple[int, int]


def share_interval(hits: int, trials: int, groups: Sequence[Group] = ()) -> tuple[float, float]:
    """The 95 % interval of `hits` among `trials`: Wilson's, for as many independent requests as there are.

    `groups`: the same numbers for each prompt, if prompts were repeated. If the prompts differ more than chance
    explains, the requests count as fewer: n / design effect (Rao and Scott 1992), times (z / t)² because the effect is
    estimated from few prompts (Korn and Graubard 1998). With one prompt, or if all requests are alike, nothing can be
    known of that.
    """
    share = hits / trials if trials else 0.0
    if len(groups) < 2 or not 0 < share < 1:
        return wilson_interval(hits, trials)
    count = len(groups)
    spread = sum((hit - share * size) ** 2 for hit, size in groups) * count / (count - 1) / trials**2
    effect = spread / (share * (1 - share) / trials)
    if effect <= 1:
        return wilson_interval(hits, trials)
    effective = trials / effect * (_Z95 / t_quantile(0.975, count - 1)) ** 2
    return wilson_interval(share * effective, effective)


def failures_by_prompt(results: Iterable[dict[str, Any]]) -> list[Group]:
    """(failed, attempted) requests of each prompt, from measured results."""
    return _by_prompt(results, lambda result: bool(result["outcome"] != "succeeded"))


def goods_by_prompt(results: Iterable[dict[str, Any]], bounds: Mapping[str, float]) -> list[Group]:
    """(good, attempted) requests of each prompt. `bounds`: of the SLOs, as the summary has them."""
    from shared.benchmark.slo.slo import judge_values  # here, because most commands need no specs

    def is_good(result: dict[str, Any]) -> bool:
        verdict = judge_values(result["outcome"], result, result["queue_ms"], bounds)
        return verdict is not None and verdict.outcome == "met"

    return _by_prompt(results, is_good)


def _by_prompt(results: Iterable[dict[str, Any]], counts: Callable[[dict[str, Any]], bool]) -> list[Group]:
    hits: defaultdict[int, int] = defaultdict(int)
    attempted: defaultdict[int, int] = defaultdict(int)
    for result in results:
        if result["outcome"] in ("succeeded", *FAILURES):
            attempted[result["prompt_index"]] += 1
            hits[result["prompt_index"]] += counts(result)
    return [(hits[prompt], size) for prompt, size in attempted.items()]
