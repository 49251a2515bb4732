"""A fake server and a runner of commands against it."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.fake_api import FakeApi, serving

Llmbench = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(FakeApi()) as fake:
        yield fake


@pytest.fixture
def llmbench(api: FakeApi) -> Llmbench:
    """`llmbench("show", "1")` as a user types it, with LLMBENCH_SERVER set to the fake server."""

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin, env={"LLMBENCH_SERVER": api.url})

    return call
