"""Logs: a JSON object a line, with the request it belongs to, and without keys."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import pytest
import structlog

from shared.program.logs import OURS, configure_logs
from shared.scrubber import MASK, Scrubber
from shared.settings import load_settings

KNOWN = "plain-known-key-without-a-pattern"
LOOKS_LIKE_A_KEY = "sk-ant-api03-0123456789abcdef"


class Log:
    """What was written to stderr."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def logging_to_memory(**settings: Any) -> Iterator[Log]:
    """Logs as a program configures them; the suite's own logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    with redirect_stderr(stream):
        configure_logs(load_settings(_env_file=None, **settings), Scrubber([KNOWN]))
        yield Log(stream)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.configure(**config)


@pytest.fixture
def log() -> Iterator[Log]:
    with logging_to_memory() as running:
        yield running


def test_a_line_is_a_json_object_with_the_request_it_belongs_to(log: Log) -> None:
    # A worker of a test before may have bound its id.
    structlog.contextvars.clear_contextvars()
    with structlog.contextvars.bound_contextvars(request_id="abc", benchmark_id=7):
        structlog.get_logger("api.x").info("stored", requests=3)
    structlog.get_logger("api.x").info("later")
    first, second = log.lines()
    timestamp = first.pop("timestamp")
    assert timestamp.endswith("Z")
    assert first == {
        "event": "stored",
        "logger": "api.x",
        "level": "info",
        "request_id": "abc",
        "benchmark_id": 7,
        "requests": 3,
    }
    assert "request_id" not in second


def test_a_librarys_line_is_a_json_object_with_the_request_too(log: Log) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        logging.getLogger("sqlalchemy.pool").warning("lost %s of %d", "one", 5)
    (line,) = log.lines()
    assert (line["event"], line["request_id"], line["level"]) == ("lost one of 5", "abc", "warning")


@pytest.mark.parametrize("key", [KNOWN, LOOKS_LIKE_A_KEY])
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_key_is_in_no_line(key: str, log_format: str) -> None:
    with logging_to_memory(log_format=log_format) as log:
        own = structlog.get_logger("api.x")
        own.info(f"event {key}")
        own.info("value", value=key)
        own.info("nested", headers={"authorization": key}, tags=["a", {"b": (key,)}])
        own.info("object", error=ValueError(key))
        own.info("bytes", body=key.encode())
        logging.getLogger("anthropic").warning("sent %s", key)
        try:
            raise RuntimeError(key)
        except RuntimeError:
            own.exception("broke")
            logging.getLogger("arq").exception("broke there")
        with structlog.contextvars.bound_contextvars(path=f"/x/{key}"):
            own.info("bound")
    assert key not in log.text
    assert log.text.count(MASK) >= 9


def test_an_exceptions_traceback_is_part_of_its_line(log: Log) -> None:
    try:
        raise RuntimeError("no room")
    except RuntimeError:
        structlog.get_logger("api.x").exception("broke")
    (line,) = log.lines()
    assert line["exception"].endswith("RuntimeError: no room")


def test_numbers_stay_numbers(log: Log) -> None:
    structlog.get_logger("api.x").info("measured", count=3, ms=1.5, ok=True, nothing=None, names=["a"])
    (line,) = log.lines()
    assert {name: line[name] for name in ("count", "ms", "ok", "nothing", "names")} == {
        "count": 3,
        "ms": 1.5,
        "ok": True,
        "nothing": None,
        "names": ["a"],
    }


def test_lines_below_the_level_are_not_written() -> None:
    with logging_to_memory(log_level="WARNING") as log:
        structlog.get_logger("api.x").info("quiet")
        logging.getLogger("some.library").info("quiet")
        structlog.get_logger("api.x").warning("loud")
    assert [line["event"] for line in log.lines()] == ["loud"]


def test_at_debug_libraries_say_no_more_than_at_info() -> None:
    """They would repeat statements with the prompts in them, and requests with their headers."""
    with logging_to_memory(log_level="DEBUG") as log:
        for name in ("aiosqlite", "asyncio", "sqlalchemy.engine", "urllib3.connectionpool", "opentelemetry.sdk"):
            logging.getLogger(name).debug("executing INSERT with 'a prompt'")
        logging.getLogger("uvicorn.error").info("started")
        structlog.get_logger("worker.run").debug("ours")
        logging.getLogger("api.main").debug("ours too")
    assert [line["event"] for line in log.lines()] == ["started", "ours", "ours too"]
