"""What a shell completes, through the shell's own protocol."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import process_environment
from tests.cli import documents
from tests.cli.fake_api import FakeApi


def _completed(url: str, line: str) -> list[str]:
    """The words that bash would offer at the end of the line."""
    env = {
        **process_environment(),
        "LLMBENCH_SERVER": url,
        "_LLMBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) if line.endswith(" ") else len(line.split()) - 1),
    }
    program = Path(sys.executable).with_name("llmbench")
    done = subprocess.run([program], env=env, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def full_api(api: FakeApi) -> FakeApi:
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark(n) for n in (12, 7)], "next_cursor": None})
    api.answers["GET /providers"] = (200, {"items": [documents.PROVIDER]})
    api.answers["GET /models"] = (200, {"items": [documents.MODEL], "total": 1, "next_cursor": None})
    return api


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("llmbench show ", ["12", "7"]),
        ("llmbench cancel 1", ["12"]),
        ("llmbench run --provider a", ["anthropic"]),
        ("llmbench list --provider ", ["anthropic"]),
        ("llmbench run -m claude-3-haiku-2", ["claude-3-haiku-20240307"]),
        ("llmbench models haiku", ["haiku-3", "haiku"]),
        ("llmbench list --status c", ["completed", "cancelled"]),
        ("llmbench run --arrival p", ["poisson"]),
        ("llmbench webhooks li", ["listen"]),
    ],
)
def test_a_shell_completes_ids_names_and_choices(full_api: FakeApi, line: str, words: list[str]) -> None:
    assert _completed(full_api.url, line) == words


def test_without_a_server_there_is_nothing_to_complete_and_no_error() -> None:
    assert _completed("http://127.0.0.1:1", "llmbench show ") == []
