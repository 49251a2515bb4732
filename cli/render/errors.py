"""What went wrong in a benchmark: each kind of error with its commonest message."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.render.numbers import milliseconds
from cli.render.pairs import most_first, pair
from cli.terminal.output import BAD, Line, clean
from cli.terminal.text_width import cut

# More kinds than these are only counted, and longer messages are cut: `--results` has them whole.
_MOST_KINDS = 4
_LONGEST = 300
# The benchmark ended it, so it is no error of the endpoint.
_BY_US = "cancelled"


def error_lines(summary: Mapping[str, Any], failures: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """`failures`: results that did not succeed, some of them if there are many."""
    kinds = most_first({kind: number for kind, number in summary["error_kinds"].items() if kind != _BY_US})
    for index, (kind, number) in enumerate(kinds[:_MOST_KINDS]):
        message = commonest_message(kind, failures)
        text = f"{clean(kind)} {number:,}" + (f": {message}" if message else "")
        yield pair("" if index else "Errors", text, BAD)
    if rest := kinds[_MOST_KINDS:]:
        yield pair("", ", ".join(f"{clean(kind)} {number:,}" for kind, number in rest), BAD)
    spread = summary.get("error_latency_ms") or {}
    if spread.get("count"):
        middle, longest = milliseconds(spread["p50"]), milliseconds(spread["max"])
        yield pair("  after", f"{middle} ms (p50), {longest} ms at most, from sent to the error")


def commonest_message(kind: str | None, failures: Sequence[Mapping[str, Any]]) -> str | None:
    """The message that most of these failures of this kind have; of any kind if `kind` is None."""
    messages = Counter(
        str(result["error"]["message"])
        for result in failures
        if result["error"] and kind in (None, result["error"]["kind"])
    )
    if not messages:
        return None
    (message, _), *others = messages.most_common()
    more = f" ({len(others):,} other message{'s' if len(others) > 1 else ''})" if others else ""
    return cut(clean(message), _LONGEST) + more
