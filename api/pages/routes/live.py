"""`/ui/benchmarks/{id}/live`: the part of a benchmark's page that changes while it runs, as server-sent events."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access.needs import needs
from api.live.events import events_of
from api.live.feeds import Feed
from api.pages.progress import doing
from api.pages.site import render
from api.present.benchmarks import progress_of
from api.routes.benchmarks import BenchmarkId
from api.state import Parts
from shared.benchmark.run_spec import RunSpec
from shared.db.benchmarks.live import LiveState

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])


@dataclass(frozen=True, slots=True)
class Watcher:
    """A page that shows a running benchmark."""

    feed: Feed
    spec: RunSpec


async def _watcher(benchmark_id: BenchmarkId, parts: Parts) -> AsyncIterator[Watcher]:
    spec = (await parts.benchmarks.get(benchmark_id)).spec
    async with parts.feeds.listen(benchmark_id) as feed:
        yield Watcher(feed, spec)


def live_values(state: LiveState, spec: RunSpec) -> dict[str, Any]:
    """What the template of the part shows."""
    return {"doing": doing(state, spec), "progress": progress_of(state), "status": state.status}


@router.get("/benchmarks/{benchmark_id:int}/live", response_class=EventSourceResponse)
async def live_part(request: Request, watcher: Annotated[Watcher, Depends(_watcher)]) -> AsyncIterator[ServerSentEvent]:
    """The part as it is now, then each change of it. `end`: the page is to show the final numbers."""
    clock = request.app.state.process.clock
    async for state in watcher.feed.states():
        last_id = events_of(state)[-1].id
        if state is None or state.has_ended:
            yield ServerSentEvent(event="end", id=last_id, raw_data="")
            return
        part = render("benchmark/live_state.html", now=clock.wall_now(), **live_values(state, watcher.spec))
        yield ServerSentEvent(id=last_id, raw_data=part)
