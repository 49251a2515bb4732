"""Options of `run` and `gate`: rules that fail a build, the baseline, and the files that a CI reads."""

from pathlib import Path
from typing import Annotated

import typer

FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help="Fail if this is true, as in 'ttft_ms.p95 > 800', 'error_rate > 1%' or 'ttft_ms.p50 > baseline + 10%'; "
        "repeatable.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="ID|NAME",
        help="Benchmark to compare with: an id, or a name that `llmbench baseline set` gave. Without a rule that names "
        "the baseline, TTFT and latency (p50) may be 10% higher, and the error rate not.",
    ),
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the verdicts as JUnit XML.")]
Summary = Annotated[
    Path | None, typer.Option("--summary", metavar="FILE", help="Append the verdicts and key figures as Markdown.")
]
Strict = Annotated[bool, typer.Option("--strict", help="A rule that is undecided fails.")]
