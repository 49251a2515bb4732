"""Measures scripted answers: one call from bytes and stamps to a record."""

from shared.endpoints import Endpoint, Protocol
from shared.results import ResultRecord
from shared.spec import Timeouts
from tests.support.scripted import FrozenClock, ScriptedTransport
from worker.engine.adapters import adapter_for
from worker.engine.adapters.base import Adapter
from worker.engine.measurer import Measurer, PlannedRequest, RunClock
from worker.engine.transport import Transport

REQUEST = PlannedRequest(prompt_index=0, repetition=0, warmup=False, body={"model": "m"}, max_tokens=100)


def adapter(protocol: Protocol) -> Adapter:
    return adapter_for(Endpoint(name="test", protocol=protocol, base_url="http://127.0.0.1"))


async def measure(protocol: Protocol, script: list[tuple[float, bytes]], **options: str) -> ResultRecord:
    """A request whose answer's reads come at these milliseconds after it was sent."""
    return await measure_over(ScriptedTransport(script, **options), protocol)


async def measure_over(transport: Transport, protocol: Protocol) -> ResultRecord:
    run = RunClock.start(FrozenClock())
    return await Measurer(transport, adapter(protocol), Timeouts(), run, keep_timeline=True).measure(REQUEST, 0)
