"""Builds the body of `POST /benchmarks` from a spec file and flags, for `llmbench run`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.exits import usage
from cli.options.reading import STDIN, NotJson, parse_json, parse_yaml, read_text
from shared.benchmark.derived_name import PROMPTS, derived_name, source_of

# What the API takes beside the fields of a spec.
WEBHOOK_FIELDS = ("webhook_url", "webhook_events", "webhook_secret")
# How alike a misspelt name is to the right one, from 0 to 1: `promts` to `prompts` is 0.92.
_SIMILAR = 0.75


def load_spec(source: str) -> dict[str, Any]:
    """A YAML or JSON file, or stdin for `-`. Raises CliError."""
    text = read_text(source, "--spec")
    is_json = source != STDIN and Path(source).suffix.lower() == ".json"
    spec = (parse_json if is_json else parse_yaml)(text, f"--spec {source}")
    if not isinstance(spec, dict):
        raise usage(f"--spec {source}: must be an object with `model` and `prompts`")
    if mistakes := misspelt(spec):
        raise usage(f"--spec {source}: unknown fields", mistakes)
    return spec


def misspelt(spec: Mapping[str, Any]) -> list[str]:
    """A line for each unknown field that looks like a known one. Others are left to the server, which may be newer."""
    from difflib import get_close_matches

    from shared.benchmark.spec import BenchmarkSpec

    known = [*BenchmarkSpec.model_fields, *WEBHOOK_FIELDS]
    found = []
    for name in spec:
        close = get_close_matches(name, known, n=1, cutoff=_SIMILAR) if name not in known else []
        found += [f"{name}: is not a field of a benchmark; did you mean {close[0]}?"] if close else []
    return found


def merge(
    base: Mapping[str, Any],
    *,
    prompts: Sequence[Any],
    parameters: Mapping[str, Any],
    extra_body: Mapping[str, Any],
    timeouts: Mapping[str, Any],
    metadata: Mapping[str, Any],
    workload: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The spec of the file with the flags applied over it. A flag that is None was not given.

    `parameters`, `extra_body`, `timeouts`, `metadata` and `workload` are merged key by key; prompts are replaced as
    a whole. Raises CliError.
    """
    spec = dict(base)
    spec |= _given(fields)
    if prompts:
        spec["prompts"] = list(prompts)
    # A null in a body is a value that the provider gets.
    objects = {"parameters": _given(parameters), "timeouts": _given(timeouts), "metadata": metadata}
    objects["workload"] = workload or {}
    for name, given in (objects | {"extra_body": extra_body}).items():
        below = spec.get(name)
        if given:
            spec[name] = {**below, **given} if isinstance(below, dict) else given
    if "model" not in spec:
        raise usage("no model: name one with --model, or in the --spec file")
    if "prompts" not in spec and source_of(spec) == PROMPTS:
        raise usage("no prompts: give --prompt TEXT, --prompts FILE, a --spec file, - for stdin, or a --workload")
    return spec


def named(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with a name: its own, or one that is derived from its load."""
    return {"name": derived_name(spec), **spec}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """A dict from `key=value` texts. Raises CliError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise usage(f"{option} {text}: must be key=value")
        found[key] = value
    return found


def typed_pairs(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Like `pairs`, but a value that is JSON is parsed: `seed=42` gives a number, `reasoning_effort=low` a text."""
    return {key: _json_or_text(value, f"{option} {key}") for key, value in pairs(texts, option).items()}


def slos(texts: Sequence[str]) -> dict[str, Any] | None:
    """The SLOs of `NAME=LIMIT` texts and of a preset's name. None if there are none. Raises CliError."""
    presets = [text for text in texts if "=" not in text]
    if len(presets) > 1:
        raise usage(f"--slo {presets[1]}: give one preset at most, and --slo NAME=LIMIT for other bounds")
    bounds = typed_pairs([text for text in texts if "=" in text], "--slo")
    return ({"preset": presets[0], **bounds} if presets else bounds) or None


def typed_pairs_or_objects(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Like `typed_pairs`, but a text may also be a JSON object, whose fields are added. Raises CliError."""
    found: dict[str, Any] = {}
    for text in texts:
        parsed = (
            _json_or_text(text, f"{option} {text}") if text.lstrip().startswith("{") else typed_pairs([text], option)
        )
        if not isinstance(parsed, dict):
            raise usage(f"{option} {text}: must be key=value or a JSON object")
        found |= parsed
    return found


def _json_or_text(value: str, where: str) -> Any:
    try:
        return parse_json(value, where)
    except NotJson:
        return value


def check(spec: Mapping[str, Any]) -> None:
    """Raises CliError with each wrong field, before a stack is started in vain. The server checks all of it again."""
    from pydantic import ValidationError

    from shared.benchmark.spec import BenchmarkSpec

    try:
        BenchmarkSpec.model_validate({name: value for name, value in spec.items() if name not in WEBHOOK_FIELDS})
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_input=False, include_context=False)
        errors = dict.fromkeys(f"{_path(error['loc'], spec)}: {_words(error['msg'])}" for error in found)
        raise usage("The request is not valid", list(errors)[:20]) from exc


def _path(location: Sequence[str | int], spec: Any) -> str:
    """The path as `prompts[2].messages[0].content`, without the parts that pydantic adds for unions."""
    path, value = "", spec
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            value = value[part] if isinstance(value, list) and part < len(value) else None
        elif isinstance(value, str):
            break
        elif isinstance(value, dict) or not path:
            path += f".{part}" if path else part
            value = value.get(part) if isinstance(value, dict) else None
    return path or "body"


def _words(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input should ")
    if message.startswith("be "):
        return f"must {message}"
    return {"Field required": "is required", "Extra inputs are not permitted": "is not a field of this object"}.get(
        message, message[:1].lower() + message[1:]
    )
