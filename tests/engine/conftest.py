"""Every transport passes the same tests."""

import functools

import pytest

from tests.engine.running import Run, run_over
from worker.engine.sdk_transport import sdk_transport
from worker.engine.socket_transport import socket_transport


@pytest.fixture(params=[sdk_transport, socket_transport], ids=["sdk", "socket"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs requests over each transport in turn; see `run_over`."""
    return functools.partial(run_over, request.param)
