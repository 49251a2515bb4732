"""Datasets as tables and pairs."""

from collections.abc import Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, count, duration, instant
from cli.render.pairs import counts, pair
from cli.render.table import table
from cli.terminal.output import Line, clean

_TEXT_SHOWN = 200


def list_lines(datasets: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each dataset, with its median lengths in tokens."""
    header = ("id", "name", "format", "rows", "turns", "in p50", "out p50", "size", "created (UTC)")
    rows = [
        (
            f"{item['id']}",
            clean(item["name"]),
            item["format"],
            count(item["rows"]),
            count(item["turns"]),
            _tokens(item["input_tokens"]["p50"]),
            _tokens((item["output_tokens"] or {}).get("p50")),
            _size(item["size_bytes"]),
            instant(item["created_at"]),
        )
        for item in datasets
    ]
    return table(header, rows, right="rllrrrrrl", fit=(1,), drop=(8, 7, 4, 6), narrowest=14)


def dataset_lines(dataset: dict[str, Any]) -> list[Line]:
    """The facts of one dataset."""
    rows = f"{dataset['rows']:,}"
    if dataset["conversations"]:
        rows += f", {dataset['conversations']:,} of them conversations with {dataset['turns']:,} turns altogether"
    lines = [
        Line(f"dataset {dataset['id']}: {clean(dataset['name'])}", "bold", 2),
        pair("Format", dataset["format"] + _options(dataset["options"])),
        pair("Rows", rows),
    ]
    if dataset["left_out"]:
        lines.append(pair("  left out", counts(dataset["left_out"])))
    if dataset["span_s"] is not None:
        lines.append(pair("Span", duration(dataset["span_s"])))
    about = " (estimate)" if dataset["kind"] == "prompts" else ""
    lines += [
        pair("Input", _lengths(dataset["input_tokens"]) + about),
        pair("Output", _lengths(dataset["output_tokens"]) if dataset["output_tokens"] else "as the benchmark says"),
        pair("Size", f"{dataset['size_bytes']:,} bytes"),
        pair("SHA-256", dataset["sha256"]),
        pair("Created", f"{instant(dataset['created_at'])} UTC"),
    ]
    return lines


def row_lines(rows: Sequence[dict[str, Any]], kind: str) -> list[Line]:
    """The rows of a page: the texts of their turns, or their times and lengths."""
    if kind == "trace":
        cells = [
            (
                f"{row['row']:,}",
                f"{row['at_s']:,.3f}",
                count(row["input_tokens"]),
                count(row["output_tokens"]),
                count(len(row["hash_ids"])),
            )
            for row in rows
        ]
        return table(("row", "at (s)", "in", "out", "blocks"), cells, right="rrrrr")
    turns = [
        (f"{row['row']:,}", f"{number}", count(turn["max_tokens"]), clean(turn["text"][:_TEXT_SHOWN]))
        for row in rows
        for number, turn in enumerate(row["turns"])
    ]
    return table(("row", "turn", "max out", "text"), turns, right="rrrl", fit=(3,))


def _options(options: dict[str, Any]) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in options.items())})" if options else ""


def _lengths(lengths: dict[str, Any]) -> str:
    spread = ", ".join(f"{name} {_tokens(lengths[name])}" for name in ("p50", "p90", "p99"))
    return f"{lengths['min']:,} to {lengths['max']:,} tokens: {spread}; {lengths['total']:,} altogether"


def _tokens(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
