"""The request that a stored benchmark came from, as a caller would write it. For "run again with …"."""

from collections.abc import Sequence
from typing import Any

from shared.benchmark.derived_name import derived_name
from shared.benchmark.load.load_spec import DEFAULT_SEED
from shared.benchmark.load.stage_spec import DEFAULT_GRACE_S
from shared.benchmark.prompt import Prompt
from shared.benchmark.spec import DEFAULT_MAX_TOKENS, BenchmarkSpec
from shared.benchmark.spec_rules import SHORT_FORM


def request_of(
    spec: BenchmarkSpec, webhook_url: str | None = None, webhook_events: Sequence[str] | None = None
) -> dict[str, Any]:
    """Without defaults, and without what the server wrote down by itself at the submit."""
    request = spec.model_dump(mode="json", exclude_defaults=True, exclude={"prompts"})
    request |= {"name": spec.name, "model": spec.model}
    if spec.provider is not None:
        request["provider"] = spec.provider
    if spec.load is None:
        # Its default depends on the prompts, so that it is none when it equals that of the field.
        request["concurrency"] = spec.concurrency
    else:
        request = {name: value for name, value in request.items() if name not in SHORT_FORM}
    _without_defaults(request)
    _without_facts(request.get("workload", {}))
    if spec.prompts:
        request["prompts"] = [_prompt(prompt) for prompt in spec.prompts]
    if _is_derived(request):
        del request["name"]
    if webhook_url is not None:
        request["webhook_url"] = webhook_url
        if webhook_events is not None:
            request["webhook_events"] = list(webhook_events)
    return request


def _without_defaults(request: dict[str, Any]) -> None:
    """Takes out what the server writes down with each spec, and would write down again."""
    for name, field, default in (
        ("parameters", "max_tokens", DEFAULT_MAX_TOKENS),
        ("load", "seed", DEFAULT_SEED),
        ("load", "grace_s", DEFAULT_GRACE_S),
        ("workload", "seed", 0),
    ):
        part = request.get(name, {})
        if part.get(field) == default:
            del part[field]
            if not part:
                del request[name]


def _is_derived(request: dict[str, Any]) -> bool:
    """Whether nobody chose its name: with changes, it would be a wrong one."""
    short = {name: value for name, value in request.items() if name != "concurrency"}
    return request["name"] in (derived_name(request), derived_name(short))


def _without_facts(workload: dict[str, Any]) -> None:
    for name in ("dataset", "trace"):
        for fact in ("rows", "turns", "sha256") if workload.get(name, {}).get("id") else ():
            workload[name].pop(fact, None)
    if workload.get("cache") == "bust":
        # It was drawn at the submit. With the same one, the texts of the first run would be in the cache.
        workload.pop("seed", None)


def _prompt(prompt: Prompt) -> Any:
    """A text, if that is all that it is."""
    written = prompt.model_dump(mode="json", exclude_defaults=True)
    turns = written["messages"]
    is_text = written.keys() == {"messages"} and len(turns) == 1 and turns[0]["role"] == "user"
    return turns[0]["content"] if is_text else written
