"""Options that several commands share."""

from typing import Annotated

import typer

from cli import complete

DEFAULT_SERVER = "http://127.0.0.1:8000"
SERVER_ENV = "LLMBENCH_SERVER"

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar=SERVER_ENV,
        metavar="URL",
        help="Server to talk to.",
        show_envvar=True,
        show_default=f"the one that is up in this folder, else {DEFAULT_SERVER}",
    ),
]
OtherOwner = Annotated[
    str | None,
    typer.Option("--owner", metavar="NAME", help="For admins: of this owner instead of your own; '*': of all."),
]
ItsOwner = Annotated[
    str | None,
    typer.Option("--owner", metavar="NAME", help="For admins: the owner of the benchmark, if you are not."),
]
BenchmarkId = Annotated[
    int, typer.Argument(min=1, metavar="ID", autocompletion=complete.benchmark_ids, help="Id of the benchmark.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print only the API's JSON on stdout.")]
WithResults = Annotated[bool, typer.Option("--results", help="Also list every request.")]
Explain = Annotated[bool, typer.Option("--explain", help="Explain each number below the table.")]
