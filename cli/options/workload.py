"""The options of `llmbench run` that say what is sent, and the `workload` of a spec that they make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.exits import usage
from cli.options.reading import NotJson, parse_json


class Source(StrEnum):
    """Where requests come from."""

    PROMPTS = "prompts"
    GENERATED = "generated"
    BUILTIN = "builtin"
    DATASET = "dataset"
    TRACE = "trace"


class Order(StrEnum):
    """In which order the entries of a list are sent."""

    IN_TURN = "in_turn"
    SHUFFLED = "shuffled"
    WEIGHTED = "weighted"


Workload = Annotated[
    Source | None,
    typer.Option(
        "--workload",
        help="Where the requests come from: --prompt and --prompts, generated text, the prompts that the service "
        "brings along, a dataset or a trace.",
    ),
]
InputTokens = Annotated[
    str | None,
    typer.Option(
        metavar="N|JSON",
        help="Length of generated input: tokens, or a distribution as "
        '\'{"distribution": "lognormal", "mean": 500, "stdev": 300, "max": 4000}\'.',
    ),
]
OutputTokens = Annotated[
    str | None,
    typer.Option(metavar="N|JSON", help="max_tokens of each request, likewise."),
]
IgnoreEos = Annotated[
    bool | None,
    typer.Option("--ignore-eos", help="Make each answer as long as --output-tokens (vLLM, SGLang)."),
]
Kind = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND", help="Only builtin prompts of this kind, as in code; repeatable."),
]
OrderOption = Annotated[Order | None, typer.Option("--order", help="Order of a list of prompts or rows.")]
Dataset = Annotated[
    str | None,
    typer.Option(metavar="ID|JSON", help="Send the rows of this dataset (`llmbench datasets`)."),
]
Trace = Annotated[
    str | None,
    typer.Option(metavar="ID|JSON", help='Send this trace again: its id, or \'{"id": 2, "time_scale": 0.5}\'.'),
]
Weights = Annotated[
    str | None,
    typer.Option(metavar="N,N,…", help="How often each prompt is drawn with --order weighted."),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Decides all random draws of the workload. The same seed, the same requests."),
]
Cache = Annotated[
    str | None,
    typer.Option(
        metavar="none|bust|JSON",
        help="bust: each request begins with a marker of its own, so that no prompt cache has it. Or "
        '\'{"shared_prefix": {"tokens": 1000, "prefixes": 4, "share": 0.8}}\'.',
    ),
]
TokenizerOption = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="NAME",
        help="What counts tokens: cl100k, o200k, harmony, qwen3.5, or a tokenizer.json of the server. By default "
        "chosen by the model.",
    ),
]


def workload(
    *,
    source: Source | None,
    input_tokens: str | None,
    output_tokens: str | None,
    ignore_eos: bool | None,
    kinds: list[str] | None,
    dataset: str | None,
    trace: str | None,
    order: Order | None,
    weights: str | None,
    seed: int | None,
    cache: str | None,
    tokenizer: str | None,
) -> dict[str, Any]:
    """The fields of `workload` that were given. An option that only one source has names the source as well.

    Raises CliError.
    """
    implied = {Source.GENERATED: input_tokens, Source.BUILTIN: kinds, Source.DATASET: dataset, Source.TRACE: trace}
    if source is None:
        source = next((source for source, option in implied.items() if option), None)
    fields: Mapping[str, Any] = {
        "source": source and source.value,
        "dataset": _reference(dataset, "--dataset"),
        "trace": _reference(trace, "--trace"),
        "input_tokens": _length(input_tokens, "--input-tokens"),
        "output_tokens": _length(output_tokens, "--output-tokens"),
        "ignore_eos": ignore_eos or None,
        "kinds": kinds or None,
        "order": order and order.value,
        "weights": _numbers(weights),
        "seed": seed,
        "cache": _object(cache, "--cache") if cache is not None and cache.lstrip().startswith("{") else cache,
        "tokenizer": tokenizer,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _length(text: str | None, option: str) -> int | dict[str, Any] | None:
    if text is None:
        return None
    if text.strip().isdecimal():
        try:
            return int(text)
        except ValueError:
            raise usage(f"{option}: has a number of too many digits") from None
    return _object(text, option)


def _reference(text: str | None, option: str) -> dict[str, Any] | None:
    found = _length(text, option)
    return {"id": found} if isinstance(found, int) else found


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        found = parse_json(text, f"{option} {text}")
    except NotJson:
        found = None
    if not isinstance(found, dict):
        raise usage(f"{option} {text}: must be {'a number or ' * (option != '--cache')}a JSON object")
    return found


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise usage(f"--weights {text}: must be numbers with commas between, as in 3,1,1") from None
