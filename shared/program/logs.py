"""Structured logs: one JSON object per line on stderr, with the request, benchmark and worker that it belongs to."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from shared.program.tracing import trace_ids
from shared.scrubber import Scrubber
from shared.settings import Settings

# Only these say more at DEBUG.
OURS = ("api", "cli", "shared", "simulator", "worker")


def configure_logs(settings: Settings, scrubber: Scrubber | None = None) -> None:
    """Sets structlog and the standard library's logging (uvicorn, arq, SQLAlchemy) to the same output."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_trace_ids,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _ScrubValues(scrubber or Scrubber()),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries say at DEBUG what they send: statements with the prompts in them, requests with their headers.
    root.setLevel(max(logging.getLevelName(settings.log_level), logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "arq.worker"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # The API itself logs one line per request, with the request's id. arq would log every message of the doorbell.
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("arq.worker", "httpx2", "httpcore2", "anthropic", "openai", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_trace_ids(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.update(trace_ids())
    return event


class _ScrubValues:
    """Removes keys from every value of a log line, also from messages of libraries."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            # structlog's own entries are not text and are not written.
            if not key.startswith("_"):
                event[key] = self._scrubbed(value)
        return event

    def _scrubbed(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self._scrubber.scrub(str(key)): self._scrubbed(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._scrubbed(item) for item in value]
        return self._scrubber.scrub(value if isinstance(value, str) else repr(value), limit=20_000)
