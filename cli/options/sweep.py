"""Flags of `llmbench run` for sweeps and searches, and the part of the spec's `load` that they stand for."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import typer

from cli.exits import usage

Sweep = Annotated[
    str | None,
    typer.Option(
        "--sweep",
        metavar="LOADS",
        help="Measure several concurrencies one after another: 1,2,4,8, or 1-64 (steps of 2), or auto (to saturation).",
    ),
]
SweepRate = Annotated[
    str | None,
    typer.Option("--sweep-rate", metavar="RATES", help="The same for requests per second: 1,2,5,10 or 1-32."),
]
Search = Annotated[
    bool,
    typer.Option(
        "--search", help="Look for the highest concurrency that meets the SLOs, which --slo or the spec file gives."
    ),
]
PointRequests = Annotated[
    int | None,
    typer.Option("--point-requests", metavar="N", help="Measured requests of each load of a sweep or search."),
]
PointDuration = Annotated[
    float | None,
    typer.Option("--point-duration", metavar="SECONDS", help="How long a sweep or search measures each load."),
]


def swept_load(
    below: Any,
    sweep: str | None,
    sweep_rate: str | None,
    *,
    search: bool,
    requests: int | None,
    duration_s: float | None,
) -> Any:
    """The `load` of the spec file with the sweep or search of these flags. None: there is none. Raises CliError."""
    asked = [name for name, given in (("--sweep", sweep), ("--sweep-rate", sweep_rate), ("--search", search)) if given]
    if len(asked) > 1:
        raise usage(f"{asked[0]} and {asked[1]} exclude each other")
    point = {name: value for name, value in (("requests", requests), ("duration_s", duration_s)) if value is not None}
    if not asked:
        if point:
            raise usage("--point-requests and --point-duration go with --sweep, --sweep-rate or --search")
        return below
    load = dict(below) if isinstance(below, Mapping) else {}
    load.pop("sweep" if search else "search", None)
    if search:
        names = {"requests": "probe_requests", "duration_s": "probe_s"}
        point = {names[name]: value for name, value in point.items()}
        return {**load, "search": {**_without(load.get("search"), names.values() if point else ()), **point}}
    loads = (
        _loads(sweep, "--sweep", "concurrency") if sweep else _loads(sweep_rate or "", "--sweep-rate", "request_rate")
    )
    replaced = {"concurrency", "request_rate", "to_saturation", *(("requests", "duration_s") if point else ())}
    return {**load, "sweep": {**_without(load.get("sweep"), replaced), **loads, **point}}


def _without(below: Any, names: Collection[str]) -> dict[str, Any]:
    """What the file says about its sweep or search, but for the fields that the flags replace."""
    return {name: value for name, value in below.items() if name not in names} if isinstance(below, Mapping) else {}


def _loads(text: str, option: str, control: str) -> dict[str, Any]:
    """`1,2,4` as a list, `1-64` as steps; `auto` is from one stream to saturation."""
    number: type[int] | type[float] = int if control == "concurrency" else float
    if text == "auto":
        if control != "concurrency":
            raise usage(f"{option} auto: only concurrencies have a first step that fits all servers")
        return {"to_saturation": True}
    first, dash, last = text.partition("-")
    try:
        if dash:
            return {control: {"from": number(first), "to": number(last)}}
        return {control: [number(part) for part in text.split(",")]}
    except ValueError:
        raise usage(f"{option} {text}: must be numbers as in 1,2,4,8 or a range as in 1-64") from None
