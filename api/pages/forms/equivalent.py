"""The same benchmark for a terminal: a curl command, and a YAML file for `llmbench run`."""

import json
from collections.abc import Mapping
from typing import Any

# A page shows at most about this much of the prompts. The file has all.
SHOWN_PROMPTS, SHOWN_CHARS = 20, 4_000
MEDIA_TYPE = "application/yaml"
# Of a curl command, as `llmbench up` prints it too. The shell puts its own key in.
_KEY_HEADER = ' -H "Authorization: Bearer $LLMBENCH_API_KEY"'
FILE_NAME = "benchmark.yaml"


def shortened(request: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """(the request with its first prompts only, how many prompts were left out), to be shown."""
    prompts = request.get("prompts")
    if not isinstance(prompts, list):
        return dict(request), 0
    kept, size = 0, 0
    for prompt in prompts[:SHOWN_PROMPTS]:
        size += len(prompt) if isinstance(prompt, str) else len(json.dumps(prompt, default=str))
        if kept and size > SHOWN_CHARS:
            break
        kept += 1
    return {**request, "prompts": prompts[:kept]}, len(prompts) - kept


def curl(request: Mapping[str, Any], url: str, *, needs_key: bool = False) -> str:
    """`url`: that of the API, without a slash at its end. The text is one command of a POSIX shell.

    `needs_key`: it sends the key that is in the shell's LLMBENCH_API_KEY.
    """
    body = json.dumps(request, ensure_ascii=False, indent=2)
    key = _KEY_HEADER if needs_key else ""
    return f"curl -s {quoted(f'{url}/benchmarks')}{key} -H 'Content-Type: application/json' -d {quoted(body)}"


def quoted(text: str) -> str:
    """A single word of a POSIX shell, in quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def yaml_spec(request: Mapping[str, Any]) -> str:
    """A file for `llmbench run`. Texts of several lines are written as blocks."""
    # Here, because the API's start needs no YAML.
    import yaml

    # In C where PyYAML has it: it is ten times as fast.
    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc,valid-type]
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))

    Dumper.add_representer(str, text)
    written: str = yaml.dump(dict(request), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return written


def _style(text: str) -> str | None:
    """How YAML writes a text. Characters that other styles take for line breaks are written as escapes."""
    if not text.replace("\n", "").isprintable():
        return '"'
    return "|" if "\n" in text else None
