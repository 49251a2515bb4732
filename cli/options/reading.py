"""Reads what users write: texts of files and stdin, JSON and YAML. Each error names the file or the option.

`where` is what an error begins with, such as `--spec run.yaml` or `--param seed=x`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cli.exits import CliError, usage

STDIN = "-"
# A `where` may be the text itself.
_MOST_WHERE = 100


class NotJson(CliError):
    """The text is no JSON at all, so it may be meant as plain text."""


def read_text(source: str, option: str) -> str:
    """The text of a file, or of stdin for `-`. Raises CliError."""
    try:
        data = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as exc:
        raise usage(f"{option} {source}: {exc.strerror}") from exc
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise usage(f"{option} {source}: line {line} is not UTF-8") from exc


def parse_json(text: str, where: str, *, line: int = 0) -> Any:
    """The value of the text. `line`: its number, if it is one line of several. Raises CliError, and NotJson."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        failed = usage(f"{_cut(where)}: line {line or exc.lineno} is not JSON: {exc.msg}")
        raise NotJson(failed.message, failed.code) from exc
    except (ValueError, RecursionError) as exc:
        raise usage(f"{_cut(where)}: {f'line {line} ' if line else ''}{_beyond(exc)}") from exc


def parse_yaml(text: str, where: str) -> Any:
    """The value of the text as JSON has it: a date becomes a text. Raises CliError."""
    import yaml

    try:
        return json.loads(json.dumps(yaml.safe_load(text), default=str))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        at = f"line {mark.line + 1} " if mark else ""
        raise usage(f"{_cut(where)}: {at}is not YAML: {getattr(exc, 'problem', None) or exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise usage(f"{_cut(where)}: {_beyond(exc)}") from exc
    except (TypeError, LookupError, AttributeError) as exc:
        # PyYAML does not check what stands behind a tag; and a key may be a date.
        raise usage(f"{_cut(where)}: has a value or a name that JSON does not know: {exc}") from exc


def _beyond(exc: ValueError | RecursionError) -> str:
    """Valid text that no spec needs, or a value of YAML that does not exist, such as the 30th of February."""
    if isinstance(exc, RecursionError):
        return "is nested too deeply"
    return "has a number of too many digits" if "digits" in str(exc) else f"has a wrong value: {exc}"


def _cut(where: str) -> str:
    return where if len(where) <= _MOST_WHERE else f"{where[:_MOST_WHERE]}…"
