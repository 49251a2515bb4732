"""What users write is read, or refused in one line that names the file or the option."""

from pathlib import Path

import pytest

from cli.exits import CliError, ExitCode
from cli.options.prompts import load_prompts
from cli.options.spec import load_spec, typed_pairs, typed_pairs_or_objects
from cli.options.workload import _length, _object

DEEP = "[" * 100_000
MANY_DIGITS = "1" * 5_000
BAD_YAML = [
    "name: 2026-02-30",
    "a: 2026-01-01 99:00:00",
    "metadata: {2026-01-01: x}",
    "a: !!int abc",
    "a: !!int ''",
    "a: !!float abc",
    "a: !!bool abc",
    "a: !!timestamp abc",
    "a: !!binary é",
    "a: &a [*a]",
    f"a: {MANY_DIGITS}",
    f"a: 0x{MANY_DIGITS}",
    f"a: {DEEP}",
    "? [a]\n: b",
]


@pytest.mark.parametrize("text", BAD_YAML)
def test_yaml_that_is_no_json_is_an_error_of_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(CliError, match=f"--spec {file}: ") as raised:
        load_spec(str(file))
    assert raised.value.code == ExitCode.USAGE


@pytest.mark.parametrize("text", [DEEP, MANY_DIGITS, "{"])
def test_json_that_cannot_be_read_is_an_error_of_the_file(tmp_path: Path, text: str) -> None:
    for name in ("f.json", "f.jsonl"):
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(CliError, match=f"--prompts {file}: "):
            load_prompts(str(file))
    with pytest.raises(CliError, match=r"--spec .*f\.json: "):
        load_spec(str(tmp_path / "f.json"))


@pytest.mark.parametrize("text", [DEEP, MANY_DIGITS])
def test_a_value_that_cannot_be_read_is_an_error_of_the_option(text: str) -> None:
    with pytest.raises(CliError, match="--param seed: "):
        typed_pairs([f"seed={text}"], "--param")
    with pytest.raises(CliError, match="--extra-body "):
        typed_pairs_or_objects([f'{{"a": {text}'], "--extra-body")
    with pytest.raises(CliError, match="--cache "):
        _object(text, "--cache")
    with pytest.raises(CliError, match="--input-tokens"):
        _length(text, "--input-tokens")


def test_a_line_of_many_digits_is_a_prompt(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(MANY_DIGITS)
    assert load_prompts(str(tmp_path / "p.txt")) == [MANY_DIGITS]
    assert typed_pairs(["seed=42", "stop={", "a=007"], "--param") == {"seed": 42, "stop": "{", "a": "007"}
