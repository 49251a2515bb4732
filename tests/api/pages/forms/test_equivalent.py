"""The same benchmark as a curl command and as a file."""

import json
import shlex
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.pages.forms.equivalent import SHOWN_CHARS, SHOWN_PROMPTS, curl, shortened, yaml_spec

HOSTILE = ["it's $(reboot) `x` \\ \"", "two\nlines ", "---", "yes", "1e3", "# no comment", " a\u2028b\x85", "🙂 ملف"]


def request(*prompts: Any) -> dict[str, Any]:
    return {"name": "test", "model": "sim", "prompts": list(prompts), "parameters": {"temperature": 0.5}}


def test_the_command_sends_the_request() -> None:
    with_key = shlex.split(curl(request(*HOSTILE), "http://localhost:8000/bench", needs_key=True))
    words = shlex.split(curl(request(*HOSTILE), "http://localhost:8000/bench"))
    assert with_key == [*words[:3], "-H", "Authorization: Bearer $LLMBENCH_API_KEY", *words[3:]]
    assert words[:3] == ["curl", "-s", "http://localhost:8000/bench/benchmarks"]
    assert words[3:5] == ["-H", "Content-Type: application/json"]
    assert json.loads(words[6]) == request(*HOSTILE)


def test_the_file_holds_the_request_in_its_order() -> None:
    written = yaml_spec(request(*HOSTILE))
    assert yaml.safe_load(written) == request(*HOSTILE)
    assert written.startswith("name: test\nmodel: sim\nprompts:\n")


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives(text: str) -> None:
    assert yaml.safe_load(yaml_spec(request(text))) == request(text)
    assert json.loads(shlex.split(curl(request(text), "http://x"))[-1]) == request(text)


@pytest.mark.parametrize(
    ("prompts", "left_out"),
    [
        (["a"] * SHOWN_PROMPTS, 0),
        (["a"] * (SHOWN_PROMPTS + 5), 5),
        (["a" * SHOWN_CHARS, "b", "c"], 2),
        ([{"messages": [{"role": "user", "content": "a" * SHOWN_CHARS}]}] * 2, 1),
    ],
)
def test_many_prompts_are_not_shown_whole(prompts: list[Any], left_out: int) -> None:
    shown, missing = shortened(request(*prompts))
    assert missing == left_out
    assert shown == request(*prompts[: len(prompts) - left_out])


def test_what_has_no_prompts_is_shown_whole() -> None:
    assert shortened({"model": "sim"}) == ({"model": "sim"}, 0)
