"""The options of `llmbench run` that say when requests are sent, and the `load` of a spec that they make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.exits import usage


class Arrival(StrEnum):
    """How an open loop spaces requests."""

    CONSTANT = "constant"
    POISSON = "poisson"
    GAMMA = "gamma"


Repetitions = Annotated[
    int | None, typer.Option("--repetitions", "-n", metavar="N", help="How often each prompt is sent.")
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        "-c",
        metavar="N",
        help="Requests in flight at a time. By default all, but at most 8. With --rate: the most in flight.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", metavar="N", help="Send this many requests per second on a schedule, however long answers take."
    ),
]
ArrivalOption = Annotated[
    Arrival | None, typer.Option(help="How --rate spaces requests: evenly, at random, or as --burstiness says.")
]
Warmup = Annotated[
    int | None, typer.Option(metavar="N", help="Requests before the measured ones, not in the statistics.")
]
WarmupPrefix = Annotated[
    bool | None,
    typer.Option(
        "--warmup-prefix/--no-warmup-prefix",
        help="Whether each warm-up request starts with a text of its own, so that it fills no prompt cache for the "
        "measured ones. By default it does.",
    ),
]
MaxDuration = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Longest time of the run. If requests are left then, it fails and keeps its results.",
    ),
]
Requests = Annotated[
    int | None, typer.Option("--requests", metavar="N", help="End after this many requests, prompts in turn.")
]
Duration = Annotated[
    float | None,
    typer.Option("--duration", metavar="SECONDS", help="Send for this long, prompts in turn; then wait for --grace."),
]
Grace = Annotated[
    float | None,
    typer.Option(
        "--grace", metavar="SECONDS", help="How long requests in flight may take after --duration. By default 30."
    ),
]
Ramp = Annotated[
    str | None,
    typer.Option(
        "--ramp",
        metavar="FROM:SECONDS",
        help="Go to --concurrency or --rate from this value within this time, as in 1:60.",
    ),
]
Burst = Annotated[
    str | None,
    typer.Option("--burst", metavar="N:SECONDS", help="Send N requests together, again every so many seconds."),
]
Burstiness = Annotated[
    float | None,
    typer.Option("--burstiness", metavar="X", help="Shape for --arrival gamma: below 1 is bursty, 1 is poisson."),
]
FirstWave = Annotated[
    float | None,
    typer.Option(
        "--first-wave", metavar="SECONDS", help="Start the streams one after another over this time, not all at once."
    ),
]
ThinkTime = Annotated[
    float | None, typer.Option("--think-time", metavar="SECONDS", help="How long each stream waits after an answer.")
]
MaxPrefill = Annotated[
    int | None,
    typer.Option("--max-prefill", metavar="N", help="The most requests that wait for their answer to begin."),
]
ProbeRate = Annotated[
    float | None,
    typer.Option(
        "--probe-rate",
        metavar="PER_SECOND",
        help="Send so many requests of one token per second beside the load, and report their TTFT apart.",
    ),
]
DropAfter = Annotated[
    float | None,
    typer.Option(
        "--drop-after",
        metavar="SECONDS",
        help="With --rate: do not send a request that is late by this much; count it.",
    ),
]
StopOnErrorRate = Annotated[
    float | None, typer.Option("--stop-on-error-rate", metavar="SHARE", help="End if this share of requests failed.")
]
StopWhenSaturated = Annotated[
    bool | None,
    typer.Option("--stop-when-saturated", help="With --rate: end if requests in flight and TTFT keep growing."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="The same seed gives the same schedule. By default 0.")
]
WarmupDuration = Annotated[
    float | None,
    typer.Option("--warmup-duration", metavar="SECONDS", help="Warm up at the same load for this long."),
]

_CONTROLS = ("concurrency", "request_rate", "rate_series", "burst")
# Fields of the short form, and how `load` calls them.
_SHORT_FORM = {"arrival": "arrival", "arrival_seed": "seed"}


def with_load(spec: Mapping[str, Any], flags: Mapping[str, Any], *, given: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with a `load` of these flags, which are None if they were not given. Raises CliError.

    `given`: the flags of the short form. Without other flags and without a `load` in the file, the spec stays in the
    short form; otherwise what it says in the short form goes into the `load`.
    """
    asked, below = _given(flags), spec.get("load")
    if not asked and below is None:
        return dict(spec)
    if below is not None and not isinstance(below, Mapping):
        return dict(spec)  # the server says what is wrong with it
    short = {name: spec[name] for name in (*_CONTROLS[:2], *_SHORT_FORM, "warmup") if name in spec}
    if below is not None:
        short = {name: value for name, value in short.items() if given.get(name) is not None}
    rest = {name: value for name, value in spec.items() if name not in short}
    return {**rest, "load": _load(dict(below or {}), short, asked)}


def pair(text: str, option: str, first: str, second: str) -> dict[str, float]:
    """`1:60` as an object with these names. Raises CliError."""
    values = text.split(":")
    try:
        numbers = [int(value) if value.isdecimal() else float(value) for value in values]
    except ValueError:
        numbers = []
    if len(numbers) != 2:
        raise usage(f"{option} {text}: must be two numbers with a colon between them, as in 1:60")
    return {first: numbers[0], second: numbers[1]}


def _load(load: dict[str, Any], short: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in asked.items() if name not in ("ramp", "burst", "warmup_s", "first_wave_s")}
    if "burst" in asked:
        _take_control(load, "burst", pair(asked["burst"], "--burst", "requests", "every_s"))
    if "request_rate" in short:
        if "burst" in asked:
            raise usage("--burst and --rate exclude each other: each says when requests are sent")
        _take_control(load, "request_rate", short["request_rate"])
    if "concurrency" in short:
        is_open = any(name in load for name in _CONTROLS[1:])
        load["max_concurrency" if is_open else "concurrency"] = short["concurrency"]
    load |= {_SHORT_FORM[name]: value for name, value in short.items() if name in _SHORT_FORM}
    if "ramp" in asked:
        load["ramp"] = pair(asked["ramp"], "--ramp", "from", "over_s")
    if "first_wave_s" in asked:
        load |= {"first_wave": "spread", "first_wave_s": asked["first_wave_s"]}
    warmup = {"requests": short.get("warmup") or None, "duration_s": asked.get("warmup_s")}
    if _given(warmup):
        load["warmup"] = {**(load.get("warmup") or {}), **_given(warmup)}
    return load | fields


def _take_control(load: dict[str, Any], name: str, value: Any) -> None:
    """A load has one control: that of the flag replaces that of the file."""
    for other in _CONTROLS:
        load.pop(other, None)
    load[name] = value


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
