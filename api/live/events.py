"""The server-sent events of a benchmark's states: `status`, `progress` and `end`. The route sends them."""

import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from api.live.feeds import Feed
from api.present.benchmarks import notices_of, progress_of
from api.schemas.benchmarks import RunError
from api.schemas.live_events import EndEvent, StatusEvent
from shared.benchmark.status import STATUSES, TERMINAL
from shared.db.benchmarks.live import LiveState

# Ids begin with it. It rises only: the three terminal statuses have the same one.
_RANKS = {status: min(place, STATUSES.index(TERMINAL[0])) for place, status in enumerate(STATUSES)}


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is sent. `data`: JSON."""

    kind: str
    id: str
    data: str


def events_of(state: LiveState | None) -> list[Event]:
    """All that can be said about a state, in its order. None: the benchmark was deleted."""
    if state is None:
        return [Event("end", "deleted", EndEvent(status=None).model_dump_json())]
    told: list[tuple[str, BaseModel]] = [("status", _status(state)), ("progress", progress_of(state))]
    if state.has_ended:
        told.append(("end", EndEvent(status=state.status)))
    return [_event(state, kind, data) for kind, data in told]


async def events_after(feed: Feed, last_id: str | None) -> AsyncIterator[Event]:
    """What is new to a client that had the event `last_id` last, and then each change. None: it has had nothing.

    A client that knows nothing of the present state gets all of it: what was in between does not matter any more.
    """
    known: dict[str, str] | None = None
    async for state in feed.states():
        events = events_of(state)
        if known is None:
            known = {event.kind: event.id for event in _until(events, last_id)}
        for event in events:
            if known.get(event.kind) != event.id:
                known[event.kind] = event.id
                yield event


def is_told(state: LiveState | None, last_id: str | None) -> bool:
    """Whether a client that had the event `last_id` last has had the end."""
    return state is not None and state.has_ended and events_of(state)[-1].id == last_id


def _until(events: Sequence[Event], last_id: str | None) -> Sequence[Event]:
    """The events up to the one with this id; none if there is no such event."""
    places = [place for place, event in enumerate(events) if event.id == last_id]
    return events[: places[0] + 1] if places else ()


def _status(state: LiveState) -> StatusEvent:
    return StatusEvent(
        id=state.id,
        status=state.status,
        created_at=state.created_at,
        started_at=state.started_at,
        completed_at=state.completed_at,
        cancel_requested_at=state.cancel_requested_at,
        interrupted=state.interrupted,
        notices=notices_of(state),
        error=RunError.model_validate(state.error) if state.error else None,
    )


def _event(state: LiveState, kind: str, data: BaseModel) -> Event:
    """Its id is the same from every API process. Status and count in it only rise."""
    text = data.model_dump_json()
    return Event(kind, f"{_RANKS[state.status]}-{state.done}-{zlib.crc32(f'{kind} {text}'.encode()):08x}", text)
