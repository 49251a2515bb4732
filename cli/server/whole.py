"""Prints the JSON of a whole benchmark, for `--json`: the API's document with all of its results, however many."""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import IO, Any, TextIO

from cli.server.client import Client
from cli.terminal.output import write_json

# The document's own field for results. Those of a long run are read in pages.
_RESULTS = "results"
_CUT = "results_truncated"


def write_benchmark(
    client: Client, benchmark_id: int, include: str = "results", more: Mapping[str, Any] | None = None
) -> None:
    """Prints `GET /benchmarks/{id}` on stdout, with every measured result. Memory does not grow with their text.

    `more`: further fields of the document.
    """
    document = {**client.benchmark(benchmark_id, include), **(more or {})}
    if not document[_CUT]:
        write_json(document)
        return
    pages = {"include": "timeline"} if include == "timeline" else {}
    with ExitStack() as files:
        store = files.enter_context(tempfile.TemporaryFile("w+b"))
        ordered = _in_plan_order(client.results(benchmark_id, **pages), store)
        _write({**document, _CUT: False}, ordered, sys.stdout)


def _in_plan_order(results: Iterator[dict[str, Any]], store: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The results round after round, as in the API's document. Pages come in the order in which they ended."""
    places: list[tuple[int, int, int]] = []
    for result in results:
        places.append((result["repetition"], result["prompt_index"], store.tell()))
        store.write(json.dumps(result).encode() + b"\n")
    for *_, place in sorted(places):
        store.seek(place)
        yield json.loads(store.readline())


def _write(document: Mapping[str, Any], results: Iterator[dict[str, Any]], stream: TextIO) -> None:
    """As `write_json` does, but one result after the other."""
    stream.write("{")
    for number, (name, value) in enumerate(document.items()):
        stream.write(f"{',' if number else ''}\n  {json.dumps(name)}: ")
        if name != _RESULTS:
            stream.write(_indented(value, 2))
            continue
        stream.write("[")
        for count, result in enumerate(results):
            stream.write(f"{',' if count else ''}\n    {_indented(result, 4)}")
        stream.write("\n  ]")
    stream.write("\n}\n")
    stream.flush()


def _indented(value: Any, columns: int) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + " " * columns)
