"""Keeps secrets and texts of callers out of spans. Only `shared.program.tracing` uses it, where tracing is on."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from shared.scrubber import MASK, Scrubber

# A query may be anything that a caller typed: a key in the wrong place, or a text that is looked for.
_QUERY = "url.query"


class SpanScrubber(SpanProcessor):
    """Masks queries, and what looks like a key in other attributes with which a span starts."""

    def __init__(self) -> None:
        self._scrubber = Scrubber()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name, value in list((span.attributes or {}).items()):
            if isinstance(value, str):
                masked = MASK if name == _QUERY else self._scrubber.scrub(value)
                if masked != value:
                    span.set_attribute(name, masked)
