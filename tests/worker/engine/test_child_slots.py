"""The load of one measuring process: which slot sends, what counts as in flight, and what it gives back."""

import asyncio

from shared.clock import monotonic_ns
from tests.worker.engine.test_child_load import HOUR, MS, HeardOutbox, Server, requests, running, settle
from worker.engine.child.load import Load
from worker.engine.messages import Go, Request, Returned


async def test_a_request_that_is_not_due_is_not_in_flight() -> None:
    async with running(slots=4) as (load, _, _):
        load.add(requests(3, [0, 0, HOUR / MS]))
        load.go(Go(monotonic_ns(), [(0, 4)]))
        await settle()
        assert load.in_flight == 2


async def test_requests_that_find_no_room_are_given_back_the_oldest_first() -> None:
    async with running(slots=1) as (load, server, outbox):
        load.add([*requests(4, [0, 1, 2, 3]), Request(9, b"", offset_ns=HOUR)])
        load.go(Go(monotonic_ns() - 10 * MS, [(0, 1)]))
        await settle()
        load.give_back(2)
        assert outbox.returned == [1, 2]
        load.give_back(5)
        assert outbox.returned == [1, 2, 3], "the one of the next hour stays"
        load.give_back(1)
        assert outbox.said[-1] == Returned([]), "each question has an answer"
        load.give_back(None)
        assert outbox.returned == [1, 2, 3, 9]
        server.sent[0].end()
        await settle()
        assert server.ids == [0]


async def test_requests_without_a_due_time_are_given_back_too() -> None:
    async with running(slots=1) as (load, _, outbox):
        load.add(requests(3))
        load.go(Go(monotonic_ns(), [(0, 1)]))
        await settle()
        load.give_back(1)
        assert outbox.returned == [1]


async def test_what_comes_after_the_end_of_a_phase_is_not_sent() -> None:
    """Such as the next turn of a conversation."""
    async with running(slots=2) as (load, server, outbox):
        begin_ns = monotonic_ns()
        load.go(Go(begin_ns, [(0, 2)]))
        load.cease()
        load.add([Request(1, b""), Request(2, b"", offset_ns=-1), Request(3, b"", offset_ns=HOUR)])
        await settle()
        assert (server.ids, outbox.late, sorted(outbox.dropped)) == ([], [2], [1, 3])


class NumberedSlot(Server):
    """A slot of its own, which remembers whether it has connected."""

    async def open(self) -> None:
        self.connected = True


async def test_the_slots_that_are_connected_send_first() -> None:
    outbox, slots = HeardOutbox(), [NumberedSlot() for _ in range(6)]
    load = Load(slots, outbox)
    task = asyncio.create_task(load.run())
    await settle()
    try:
        for connections in (2, 4):
            load.hold()
            await load.open(connections)
            assert sum(slot.connected for slot in slots) == connections
            load.add(requests(connections))
            load.go(Go(monotonic_ns(), [(0, connections)]))
            await settle()
            assert all(slot.connected for slot in slots if slot.in_flight)
            for slot in slots:
                slot.abort()
            await settle()
        # One request at a time needs one connection, and goes out on the one that was used last.
        load.hold()
        load.go(Go(monotonic_ns(), [(0, 6)]))
        users = []
        for number in range(5):
            load.add([Request(number, b"")])
            await settle()
            users.append(next(slot for slot in slots if slot.in_flight))
            users[-1].abort()
            await settle()
        assert len(set(map(id, users))) == 1
        assert users[0].connected
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
