"""Reads prompts from files and stdin, for `llmbench run`."""

from pathlib import Path
from typing import Any

from cli.exits import CliError, usage
from cli.options.reading import STDIN, parse_json, read_text


def load_prompts(source: str) -> list[Any]:
    """The prompts of a file, or of stdin for `-`. Raises CliError.

    `.jsonl` has a JSON string or prompt object on each line, `.json` an array of them, other files a prompt on each
    line. Stdin is read as JSON lines if every line is a JSON string or object. Blank lines do not count.
    """
    text = read_text(source, "--prompts")
    suffix = "" if source == STDIN else Path(source).suffix.lower()
    if suffix == ".json":
        prompts = _array(text, source)
    elif suffix in (".jsonl", ".ndjson"):
        prompts = _json_lines(text, source)
    elif source == STDIN:
        prompts = _guess(text)
    else:
        prompts = [line for _, line in _lines(text)]
    if not prompts:
        raise usage(f"--prompts {source}: holds no prompt")
    return prompts


def _lines(text: str) -> list[tuple[int, str]]:
    # Not splitlines(): a prompt may hold U+2028 or a form feed.
    lines = ((number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line.strip()]


def _json_lines(text: str, source: str) -> list[Any]:
    prompts = []
    for number, line in _lines(text):
        prompt = parse_json(line, f"--prompts {source}", line=number)
        if not isinstance(prompt, str | dict):
            raise usage(f"--prompts {source}: line {number} must be a JSON string or a prompt object")
        prompts.append(prompt)
    return prompts


def _array(text: str, source: str) -> list[Any]:
    prompts = parse_json(text, f"--prompts {source}")
    if not isinstance(prompts, list):
        raise usage(f"--prompts {source}: must be a JSON array of prompts")
    return prompts


def _guess(text: str) -> list[Any]:
    lines = [line for _, line in _lines(text)]
    parsed = []
    for line in lines:
        try:
            parsed.append(parse_json(line, "--prompts"))
        except CliError:
            return lines
    return parsed if all(isinstance(item, str | dict) for item in parsed) else lines
