"""What no test may do: talk to another machine, and, in a unit test, keep the event loop busy.

Registered as a plugin by tests/conftest.py. Programs that tests start are out of reach: they run without these guards.
"""

import asyncio
import gc
import ipaddress
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import pytest

# Processor time of one callback, which other programs do not lengthen.
BUSY_S = 0.25
# A test that takes one of these is no unit test: servers, databases and programs run in its loop or beside it.
SERVERS = {
    "simulator",
    "sim",
    "children",
    "sqlite_template",
    "postgresql_server_url",
    "redis_server_url",
    "database_url",
}
# Who names a server elsewhere for the suite means it.
GIVEN_SERVERS = ("TEST_DATABASE_URL", "TEST_REDIS_URL", "DOCKER_HOST")


class LeavesThisMachine(Exception):
    """No OSError: the programs would take that for a network that is down."""


_attempts: list[str] = []
_given: set[str] = set()


def pytest_configure() -> None:
    for name in GIVEN_SERVERS:
        host = urlsplit(os.environ.get(name, "")).hostname
        if host:
            _given.update({host, *(str(info[4][0]) for info in socket.getaddrinfo(host, None))})
    sys.addaudithook(_on_audit)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    watch = LoopWatch()
    # Looking at the clock twice in each callback takes a tenth of the processor time of what makes many of them.
    is_unit_test = SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
    with watch.watching() if is_unit_test else nullcontext():
        result = yield
    if attempts := take_attempts():
        pytest.fail(f"talks to another machine: {', '.join(attempts)}")
    if watch.busy_s > BUSY_S:
        pytest.fail(f"keeps the event loop busy for {watch.busy_s * 1e3:.0f} ms of processor time: {watch.callback}")
    return result


def take_attempts() -> list[str]:
    """Every attempt to leave since the last call: what raised may have been caught."""
    attempts = _attempts.copy()
    _attempts.clear()
    return attempts


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        kind, address = arguments[0].family, arguments[1]
        if kind in (socket.AF_INET, socket.AF_INET6) and address is not None and not _is_here(address[0]):
            _refuse(f"{address[0]} port {address[1]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        if str(host).endswith(".invalid"):
            # As resolvers answer without asking anybody: RFC 6761.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host and not _is_address(host) and not _is_here(host):
            _refuse(f"the name {host}")


def _refuse(where: str) -> None:
    _attempts.append(where)
    raise LeavesThisMachine(f"a test wants to talk to {where}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    if host in _given or host in ("", "localhost", "0.0.0.0", "::"):
        return True
    return _is_address(host) and (ipaddress.ip_address(host).is_loopback or _is_own(host))


@lru_cache
def _is_own(address: str) -> bool:
    """Whether an interface of this machine has it: containers are reached at the address of their bridge."""
    if ipaddress.ip_address(address).is_multicast:
        return False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


class LoopWatch:
    """The callback of the event loop that took most processor time, without what the garbage collector took in it."""

    def __init__(self) -> None:
        self.busy_s = 0.0
        self.callback = ""
        self._thread = threading.get_ident()
        self._collecting_since_s = 0.0
        self._collected_s = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        run: Callable[[asyncio.Handle], None] = asyncio.Handle._run  # type: ignore[attr-defined]

        def measured(handle: asyncio.Handle) -> None:
            begin_s = time.thread_time() - self._collected_s
            run(handle)
            took_s = time.thread_time() - self._collected_s - begin_s
            if took_s > self.busy_s:
                self.busy_s, self.callback = took_s, repr(handle)

        asyncio.Handle._run = measured  # type: ignore[attr-defined]
        gc.callbacks.append(self._on_collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self._on_collection)
            asyncio.Handle._run = run  # type: ignore[attr-defined]

    def _on_collection(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collecting_since_s = time.thread_time()
        else:
            self._collected_s += time.thread_time() - self._collecting_since_s


async def calmest(action: Callable[[], Awaitable[None]]) -> LoopWatch:
    """The watch over the calmest of three runs.

    A virtual machine that its host stops for a moment counts that as processor time.
    """
    watches = []
    for _ in range(3):
        watch = LoopWatch()
        with watch.watching():
            await action()
        watches.append(watch)
    return min(watches, key=lambda watch: watch.busy_s)
