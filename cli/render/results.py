"""Single requests of a benchmark, and their timelines, as lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from cli.render.numbers import WRITERS
from cli.render.table import table
from cli.terminal.output import Line, clean
from cli.terminal.text_width import cut
from shared.numbers.metrics import METRICS

COLUMNS = {metric.name: metric.column for metric in METRICS.values() if metric.column is not None}
_LONGEST = 200
# What a narrow terminal does without, first to last.
_SPARE = ("cost_usd", "tokens_per_second", "input_tokens", "output_tokens")


def in_plan_order(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results sorted by prompt and repetition. The API returns them in the order in which they ended."""
    return sorted(results, key=lambda result: (result["prompt_index"], result["repetition"]))


def result_lines(results: Iterable[dict[str, Any]], columns: int | None = None) -> list[Line]:
    """A row for each request: prompt, outcome, metrics, and answer or error. `columns`: see `table`."""
    rows = [
        (
            f"{result['prompt_index']}",
            "warm-up" if result["warmup"] else f"{result['repetition']}",
            result["outcome"],
            *(WRITERS[METRICS[name].unit](result.get(name)) for name in COLUMNS),
            _answer(result),
        )
        for result in in_plan_order(results)
    ]
    header = ("prompt", "rep", "outcome", *COLUMNS.values(), "answer")
    spare = [header.index(COLUMNS[name]) for name in _SPARE]
    right = "rrl" + "r" * len(COLUMNS)
    return table(header, rows, right=right, fit=(len(header) - 1,), drop=spare, narrowest=16, columns=columns)


def _answer(result: dict[str, Any]) -> str:
    error = result["error"]
    if error:
        return cut(clean(f"{error['kind']}: {error['message']}"), _LONGEST)
    return cut(clean(result["response"] or ""), _LONGEST)


def timeline_lines(results: Iterable[dict[str, Any]]) -> Iterator[Line]:
    """Every event of each request, in ms since the request was sent."""
    for result in in_plan_order(results):
        place = "warm-up" if result["warmup"] else f"repetition {result['repetition']}"
        yield Line("")
        yield Line(f"prompt {result['prompt_index']}, {place}: {result['outcome']}", "bold")
        if result["timeline"] is None:
            yield Line("  no timeline was stored")
            continue
        rows = [
            (f"{event['offset_ms']:.3f}", clean(event["kind"]), f"{event['size']}" if event["size"] else "")
            for event in result["timeline"]
        ]
        yield from table(("ms", "event", "bytes"), rows, right="rlr")
