"""Every transport passes the same tests."""

import functools

import pytest

from tests.worker.engine.running import Run, Transport, run_over
from worker.engine.children import Children


@pytest.fixture(params=["auto", "sdk"], ids=["socket", "sdk"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Own sockets, and the SDK's client."""
    chosen: Transport = request.param
    return chosen


@pytest.fixture
def run(transport: Transport, children: Children) -> Run:
    """Runs requests over each transport in turn; see `run_over`."""
    return functools.partial(run_over, children, transport)
