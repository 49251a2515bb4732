"""How one request is answered: read from the model name and `x-sim-*` headers, used by every other module here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.fault import Fault, fault_names, parse_fault


class UnknownOption(ValueError):
    """A `sim-…` model name holds an option that does not exist or is out of range; `option` is its text."""

    def __init__(self, option: str) -> None:
        super().__init__(f"unknown option `{option}`")
        self.option = option


class InvalidHeader(ValueError):
    """An `x-sim-*` header is unknown or holds a value it cannot hold; `header` is its name."""

    def __init__(self, header: str) -> None:
        super().__init__(f"invalid value of header `{header}`")
        self.header = header


@dataclass(frozen=True, slots=True)
class Profile:
    """Times in milliseconds, counts in tokens; `every` = 0 applies the fault to each request."""

    ttft_ms: float = 200.0
    gap_ms: float = 20.0
    tokens: int = 16
    jitter_ms: float = 0.0
    chunk: int = 1
    think: int = 0
    split_ms: float | None = None
    cut: int = 0
    every: int = 0
    # The queueing mode, see `pool`.
    slots: int = 0
    prefill_ms: float = 0.0
    batch: float = 0.0
    cache: int = 0
    stall_ms: float = 0.0
    stall_at_s: float = 5.0
    stall_every_s: float = 0.0
    pool: int = 0
    burst: bool = False
    early_role: bool = False
    no_usage: bool = False
    no_done: bool = False
    no_stream_options: bool = False
    tool: bool = False
    summary: bool = False
    ignore_max: bool = False
    utf8: bool = False
    nul: bool = False
    html: bool = False
    fault: Fault | None = None

    @property
    def queues(self) -> bool:
        """Whether requests share something: slots, a cache, the time that they take, or stalls."""
        return bool(self.slots or self.prefill_ms or self.batch or self.cache or self.stall_ms)

    @staticmethod
    def parse(model: str, headers: Mapping[str, str], defaults: "Profile") -> "Profile":
        """`headers` have lower-case names and win over `model`. Raises UnknownOption, InvalidHeader."""
        profile = defaults
        if model == "sim" or model.startswith("sim-"):
            profile = _with_options(profile, model.split("-")[1:])
        if "x-sim-options" in headers:
            try:
                profile = _with_options(profile, headers["x-sim-options"].strip().split("-"))
            except UnknownOption as error:
                raise InvalidHeader("x-sim-options") from error
        for name, text in headers.items():
            if name.startswith("x-sim-") and name != "x-sim-options":
                profile = _with_header(profile, name, text.strip())
        return profile


@dataclass(frozen=True, slots=True)
class _Number:
    """An option with a number after its name; `header` sets the same field."""

    field: str
    header: str
    kind: type[int] | type[float]
    low: float
    high: float
    help: str

    def read(self, text: str) -> int | float | None:
        pattern = r"\d{1,9}" if self.kind is int else r"\d{1,9}(\.\d{1,6})?"
        if re.fullmatch(pattern, text, re.ASCII) is None:
            return None
        value = self.kind(text)
        return value if self.low <= value <= self.high else None


# A day is longer than any test, and short enough that no deadline overflows.
_DAY_MS = 86_400_000
_MANY = 1_000_000

NUMBERS: dict[str, _Number] = {
    "ttft": _Number("ttft_ms", "x-sim-ttft-ms", float, 0, _DAY_MS, "ms from the request to its first content event"),
    "gap": _Number("gap_ms", "x-sim-gap-ms", float, 0, _DAY_MS, "ms between content events"),
    "n": _Number("tokens", "x-sim-tokens", int, 0, _MANY, "answer tokens"),
    "jit": _Number("jitter_ms", "x-sim-jitter-ms", float, 0, _DAY_MS, "mean ms of an exponential delay on each event"),
    "chunk": _Number("chunk", "x-sim-chunk", int, 1, _MANY, "tokens per content event"),
    "think": _Number("think", "x-sim-think", int, 0, _MANY, "reasoning tokens before the answer"),
    "split": _Number("split_ms", "x-sim-split-ms", float, 0, _DAY_MS, "each event in two writes, this many ms apart"),
    "cut": _Number("cut", "x-sim-cut", int, 1, _MANY, "each event in writes of this many bytes"),
    "every": _Number("every", "x-sim-every", int, 1, _MANY, "the fault hits each Nth request of the model only"),
    "slots": _Number("slots", "x-sim-slots", int, 1, 10_000, "requests that are answered at a time; others queue"),
    "prefill": _Number("prefill_ms", "x-sim-prefill-ms", float, 0, _DAY_MS, "ms per 1,000 input tokens, after ttft"),
    "batch": _Number("batch", "x-sim-batch", float, 0, 1_000, "gap grows by this share for each other running request"),
    "cache": _Number("cache", "x-sim-cache", int, 0, 10_000_000, "input tokens that the prefix cache holds"),
    "stall": _Number("stall_ms", "x-sim-stall-ms", float, 0, _DAY_MS, "the server stands still for this many ms"),
    "stallat": _Number("stall_at_s", "x-sim-stall-at-s", float, 0, 86_400, "s from the first request to the stall"),
    "stallevery": _Number(
        "stall_every_s", "x-sim-stall-every-s", float, 0, 86_400, "s from the end of a stall to the next; 0: one only"
    ),
    "pool": _Number("pool", "x-sim-pool", int, 0, _MANY, "changes nothing but the model name, which has its own queue"),
}

FLAGS: dict[str, tuple[dict[str, Any], str]] = {
    "burst": ({"burst": True}, "the whole answer in one write, at ttft"),
    "earlyrole": ({"early_role": True}, "events before the first content are sent at once"),
    "usage0": ({"no_usage": True}, "chat completions: no usage even when asked for"),
    "nodone": ({"no_done": True}, "chat completions: finish_reason but no [DONE], then the server closes"),
    "nostreamoptions": ({"no_stream_options": True}, "chat completions: 400 on stream_options, like old servers"),
    "tool": ({"tool": True}, "the answer is a tool call"),
    "summary": ({"summary": True}, "Responses: the reasoning is shown as its summary"),
    "empty": ({"tokens": 0}, "no content, a proper finish"),
    "ignoremax": ({"ignore_max": True}, "max_tokens is ignored"),
    "utf8": ({"utf8": True}, "text of 2, 3 and 4 byte characters"),
    "nul": ({"nul": True}, "a U+0000 in the text"),
    "html": ({"html": True}, "text with HTML and a spreadsheet formula"),
}

_HEADERS = {number.header: number for number in NUMBERS.values()}
_NUMBERED = re.compile(r"([a-z]+)([0-9.]+)", re.ASCII)


def _with_options(profile: Profile, options: list[str]) -> Profile:
    for option in options:
        profile = replace(profile, **_fields(option))
    return profile


def _fields(option: str) -> dict[str, Any]:
    if option in FLAGS:
        return FLAGS[option][0]
    fault = parse_fault(option)
    if fault is not None:
        return {"fault": fault}
    match = _NUMBERED.fullmatch(option)
    number = NUMBERS.get(match[1]) if match else None
    value = number.read(match[2]) if match and number else None
    if number is None or value is None:
        raise UnknownOption(option[:64])
    return {number.field: value}


def _with_header(profile: Profile, name: str, text: str) -> Profile:
    if name == "x-sim-fault":
        fault = parse_fault(text)
        if fault is None and text != "none":
            raise InvalidHeader(name)
        return replace(profile, fault=fault)
    number = _HEADERS.get(name)
    value = number.read(text) if number else None
    if number is None or value is None:
        raise InvalidHeader(name[:64])
    fields: dict[str, Any] = {number.field: value}
    return replace(profile, **fields)


def grammar() -> str:
    """The options as a table, for `--help`."""
    rows = [(f"{name}N", number.help) for name, number in NUMBERS.items()]
    rows += [(name, text) for name, (_, text) in FLAGS.items()]
    lines = [f"  {name:<16} {text}" for name, text in rows]
    return "\n".join([*lines, "faults:", *(f"  {name}" for name in fault_names())])
