"""`llmbench datasets add`, `list`, `show`, `delete`: files of prompts, conversations and traces on a server."""

from pathlib import Path
from typing import Annotated

import typer

from cli.exits import usage
from cli.group import Commands
from cli.options.common import AsJson, OtherOwner, Server
from cli.server.here import server_or_default
from cli.terminal.confirm import may_delete
from cli.terminal.help import Command
from cli.terminal.listing import write_list
from cli.terminal.output import QUIET, Line, clean, note, write, write_json
from shared.workloads.formats.names import Format

app = typer.Typer(
    cls=Commands,
    help="Store files of prompts, conversations and traces on a server, for benchmarks to send.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DatasetId = Annotated[int, typer.Argument(min=1, metavar="ID", help="Id of the dataset.")]

# What a file's name says about its format. Traces have the same endings, so they must be named.
_BY_SUFFIX: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".json": "sharegpt"}


def _bound(help_text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(metavar="N", min=1, help=help_text, show_default=False)
    return option


@app.command(cls=Command)
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(help="Name for people.", show_default="the name of the file")] = None,
    format_name: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Format of the file.", show_default="by its ending: .jsonl, .csv, .json: sharegpt"
        ),
    ] = None,
    column: Annotated[str | None, typer.Option(help="csv: the column with the prompts.", show_default="prompt")] = None,
    min_turns: Annotated[int | None, _bound("sharegpt: fewest messages of a conversation (2).")] = None,
    min_prompt_tokens: Annotated[int | None, _bound("sharegpt: fewest tokens of a prompt (4).")] = None,
    max_prompt_tokens: Annotated[int | None, _bound("sharegpt: most tokens of a prompt (1,024).")] = None,
    min_output_tokens: Annotated[int | None, _bound("sharegpt: fewest tokens of an answer (4).")] = None,
    max_total_tokens: Annotated[int | None, _bound("sharegpt: most tokens of both (2,048).")] = None,
    max_pairs: Annotated[int | None, _bound("sharegpt: pairs taken of each conversation (1).")] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Store a file. A wrong line is named with its number, and nothing is stored then.

    The same file, read in the same way, is stored once.
    """
    from cli.render.datasets import dataset_lines
    from cli.server.client import Client

    chosen = format_name or _BY_SUFFIX.get(file.suffix.lower())
    if chosen is None:
        raise usage(f"{file}: its ending does not say its format: add --format")
    options = {
        "column": column,
        "min_turns": min_turns,
        "min_prompt_tokens": min_prompt_tokens,
        "max_prompt_tokens": max_prompt_tokens,
        "min_output_tokens": min_output_tokens,
        "max_total_tokens": max_total_tokens,
        "max_pairs": max_pairs,
    }
    params = {option: str(value) for option, value in options.items() if value is not None}
    try:
        with file.open("rb") as content, Client(server_or_default(server)) as client:
            dataset, created = client.add_dataset(
                content, {"name": name or file.name[:200], "format": chosen, **params}
            )
    except OSError as exc:
        raise usage(f"cannot read {file}: {exc.strerror or exc}") from exc
    if as_json:
        write_json(dataset)
        return
    if not created:
        note(f"the same file was stored before, as dataset {dataset['id']}", QUIET)
    write(dataset_lines(dataset))


@app.command("list", cls=Command)
def list_datasets(
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 20,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List datasets, newest first."""
    from cli.render.datasets import list_lines
    from cli.server.client import Client

    with Client(server_or_default(server), owner=owner) as client:
        listed = client.datasets(limit)
    write_list(listed, list_lines, as_json=as_json, nothing="no datasets", order="newest")


@app.command(cls=Command)
def show(
    dataset_id: DatasetId,
    rows: Annotated[int, typer.Option(metavar="N", min=0, max=1_000, help="Show the first rows too.")] = 0,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a dataset: its size and hash, how many rows it has, and how long they are.

    With --rows, `--json` prints the rows and not the facts.
    """
    from cli.render.datasets import dataset_lines, row_lines
    from cli.server.client import Client

    with Client(server_or_default(server), owner=owner) as client:
        dataset = client.dataset(dataset_id)
        first = client.dataset_rows(dataset_id, rows) if rows else []
    if as_json:
        write_json(first if rows else dataset)
        return
    write(dataset_lines(dataset))
    if first:
        write([Line(""), *row_lines(first, dataset["kind"])])


@app.command(cls=Command)
def delete(
    dataset_id: DatasetId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    server: Server = None,
) -> None:
    """Delete a dataset that no open benchmark uses. Ended benchmarks keep their results."""
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:

        def question() -> str:
            return f"Delete dataset {dataset_id} ({clean(client.dataset(dataset_id)['name'])})?"

        if not may_delete(question, yes=yes):
            return
        client.delete_dataset(dataset_id)
    write([Line(f"dataset {dataset_id} is deleted")])
