"""The options of `llmbench run` that say how each request is made, and what a good one keeps."""

from typing import Annotated

import typer

System = Annotated[str | None, typer.Option(metavar="TEXT", help="System text of every prompt without its own.")]
Name = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Name of the benchmark. By default derived from the load.")
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Stored with the benchmark; repeatable."),
]
MaxTokens = Annotated[int | None, typer.Option(metavar="N", help="Largest number of output tokens.")]
Temperature = Annotated[float | None, typer.Option(metavar="X", help="Sampling temperature.")]
TopP = Annotated[float | None, typer.Option(metavar="X", help="Probability mass for nucleus sampling.")]
StopText = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Text that ends the output; repeatable.")]
Param = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Any other parameter, as in seed=42 or reasoning_effort=low."),
]
ServiceTier = Annotated[
    str | None, typer.Option(metavar="TIER", help="Tier to ask the provider for, as in flex or priority.")
]
ExtraBody = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE|JSON",
        help="Further field of every request's body, as in ignore_eos=true; or a JSON object of them; repeatable.",
    ),
]
ConnectTimeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest time for a new connection.")]
TtftTimeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest time to the first token.")]
IdleTimeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest time between events.")]
TotalTimeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest time of a request.")]
Slo = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=LIMIT|PRESET",
        help="What a good request keeps, as in ttft_ms=500, tpot_ms=50 or attainment=0.99; or a preset, as in "
        "interactive_chat; repeatable.",
    ),
]
Exclusive = Annotated[
    bool | None,
    typer.Option(
        "--exclusive",
        help="Quiet mode: run nothing else on its worker and against its endpoint meanwhile.",
    ),
]
ShareEndpoint = Annotated[
    bool | None,
    typer.Option(
        "--share-endpoint",
        help="Do not count its requests against the endpoint's max_streams, and do not wait for room there.",
    ),
]
BudgetUsd = Annotated[
    float | None,
    typer.Option(
        metavar="USD", help="Stop before its requests can cost more than this; it keeps the results that it has."
    ),
]
AllowUnpriced = Annotated[
    bool | None,
    typer.Option(
        "--allow-unpriced",
        help="Run a model without a known price although a budget applies; it counts nothing against the budget.",
    ),
]
Observe = Annotated[
    bool | None,
    typer.Option(
        "--observe/--no-observe",
        help="Whether the server's own metrics are read during the run, if its endpoint has metrics_urls.",
    ),
]
