"""What a case is: the answers of a server, byte for byte and read for read, and what the product must say of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pytest

Protocol = Literal["openai", "anthropic", "openai-responses"]
Transport = Literal["auto", "sdk"]
# How a response ends. `complete`: as HTTP says, and the connection stays. `close`: the server closes after the last
# byte, and the response has no other end. `cut`: it closes before the end that HTTP asks for. `reset`: with RST.
# `open`: it sends nothing more and waits.
Ending = Literal["complete", "close", "cut", "reset", "open"]

# How much later than the server wrote it a read may be stamped, on a busy machine.
LATE_MS = 150
EARLY_MS = 5


class Answer:
    """One response. Each read is (ms after the request was received, bytes); the head goes out with the first."""

    def __init__(
        self,
        *reads: tuple[float, bytes],
        status: str = "200 OK",
        content_type: str | None = "text/event-stream",
        headers: Mapping[str, str] | None = None,
        ending: Ending = "complete",
        raw: bool = False,
    ) -> None:
        """`raw`: the reads hold the head too, and no framing is added."""
        self.reads = reads
        self.ending: Ending = ending
        self.raw = raw
        lines = [f"HTTP/1.1 {status}"]
        if content_type is not None:
            lines.append(f"content-type: {content_type}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.chunked = ending != "close"
        lines.append("transfer-encoding: chunked" if self.chunked else "connection: close")
        self.head = "\r\n".join([*lines, "", ""]).encode()


def refusal(status: str, body: bytes, **headers: str) -> Answer:
    """An error answer. Header names are written with underscores."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer((50, body), status=status, content_type="application/json", headers=names)


@dataclass(frozen=True)
class Case:
    """`answers`: one for each time that the request is sent; the last one repeats.

    `must`: fields of the result, see `misses`. `price`: the provider in the price list. `run`: cases with the same
    word, protocol, model and price are prompts of one benchmark.
    """

    name: str
    answers: Sequence[Answer] | Answer
    must: dict[str, Any]
    protocol: Protocol = "openai"
    model: str = "m"
    price: str | None = None
    run: str = "main"
    max_tokens: int = 100_000
    transports: Sequence[Transport] = ("auto", "sdk")

    def answer(self, attempt: int) -> Answer:
        answers = [self.answers] if isinstance(self.answers, Answer) else self.answers
        return answers[min(attempt, len(answers) - 1)]


@dataclass
class Attempt:
    """One request as the server saw it. `sent`: nominal ms of a read -> when it was written (s, Unix time)."""

    body: dict[str, Any]
    connection: int
    sent: dict[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A condition where no single value is right."""

    words: str
    holds: Callable[[Any], bool]

    def __repr__(self) -> str:
        return self.words


def null_or(check: Check) -> Check:
    return Check(f"null or {check}", lambda value: value is None or check.holds(value))


def one_of(*values: Any) -> Check:
    return Check(f"one of {values}", lambda value: any(_same(value, item) for item in values))


def at_most(limit: float) -> Check:
    return Check(f"at most {limit}", lambda value: value is not None and value <= limit)


def between(low: float, high: float) -> Check:
    return Check(f"from {low} to {high}", lambda value: value is not None and low <= value <= high)


def other_than(*values: Any) -> Check:
    return Check(f"none of {values}", lambda value: value is not None and value not in values)


# Field -> (what it must be, what it is).
Misses = dict[str, tuple[Any, Any]]


def misses(case: Case, result: dict[str, Any], attempts: Sequence[Attempt]) -> Misses:
    """What is not as it must be.

    Times are those of the reads that carry their nominal ms, so a busy server does no harm. `speed_tokens` and
    `tpot_tokens` are the tokens that the speed counts. `requests` is how often the request was sent; `mended`, whether
    it was sent twice, and without `stream_options` the second time.
    """
    return {
        name: (wanted, seen)
        for name, wanted in case.must.items()
        for seen in [_seen(name, result, attempts)]
        if not _holds(name, wanted, seen, result, attempts)
    }


def _seen(name: str, result: dict[str, Any], attempts: Sequence[Attempt]) -> Any:
    error = result["error"] or {}
    span_ms = (result["latency_ms"] or 0) - (result["ttft_ms"] or 0)
    match name:
        case "error_kind":
            return error.get("kind")
        case "message" | "message_has":
            return error.get("message")
        case "phase" | "retry_after_s" | "http_status" | "provider_code":
            return error.get(name)
        case "cost":
            return result["cost_usd"]
        case "no_flags":
            return result["flags"]
        case "speed_tokens":
            speed = result["tokens_per_second"]
            return None if speed is None else speed * span_ms / 1_000
        case "tpot_tokens":
            return span_ms / result["tpot_ms"] if result["tpot_ms"] else None
        case "ended_ms":
            return (_unix(result["ended_at"]) - _unix(result["sent_at"])) * 1_000 if result["ended_at"] else None
        case "requests":
            return len(attempts)
        case "mended":
            return ["stream_options" in attempt.body for attempt in attempts] == [True, False]
    return result[name]


def _holds(name: str, wanted: Any, seen: Any, result: dict[str, Any], attempts: Sequence[Attempt]) -> bool:
    if isinstance(wanted, Check):
        return wanted.holds(seen)
    match name:
        case "message_has":
            return all(word in (seen or "").lower() for word in _words(wanted))
        case "flags":
            return set(_words(wanted)) <= set(seen)
        case "no_flags":
            return not set(_words(wanted)) & set(seen)
    if name.endswith("_ms") and isinstance(wanted, int | float) and attempts:
        expected = _arrival_ms(wanted, result, attempts)
        if seen is None or expected is None:
            return False
        return bool(expected - EARLY_MS <= seen <= expected + LATE_MS)
    return _same(seen, wanted)


def _arrival_ms(nominal: float, result: dict[str, Any], attempts: Sequence[Attempt]) -> float | None:
    """When the read of these nominal ms was really written, in ms since the request was sent. None if it was not."""
    written = next((attempt.sent[nominal] for attempt in reversed(attempts) if nominal in attempt.sent), None)
    return None if written is None else (written - _unix(result["sent_at"])) * 1_000


def _same(seen: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and isinstance(seen, int | float):
        return seen == pytest.approx(wanted, rel=1e-6)
    if isinstance(wanted, int) and isinstance(seen, float):
        # Tokens that were counted back from a speed.
        return seen == pytest.approx(wanted, rel=1e-6)
    return bool(seen == wanted)


def _words(wanted: str | Sequence[str]) -> Iterator[str]:
    yield from [wanted] if isinstance(wanted, str) else wanted


def _unix(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
