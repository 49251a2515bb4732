"""A database that does not answer for a while: the tasks that look at it again and again go on."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)


class Outage:
    """Of one task."""

    def __init__(self, event: str) -> None:
        """`event`: what is logged when an outage begins."""
        self._event = event
        self._is_on = False

    @contextmanager
    def bridged(self) -> Iterator[None]:
        """Inside, the database may be unavailable. Logged once for each outage, not for each look."""
        try:
            yield
        except Unavailable as exc:
            if not self._is_on:
                log.warning(self._event, error=exc.reason)
            self._is_on = True
        else:
            self._is_on = False
