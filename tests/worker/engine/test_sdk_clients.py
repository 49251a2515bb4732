"""What the SDKs make of a target, and how they are loaded."""

import subprocess
import sys

import pytest

from shared.protocols.registry import PROTOCOLS
from shared.providers.endpoints import Endpoint
from simulator.protocols.registry import WIRE_FORMATS
from worker.engine.messages import SocketTarget
from worker.engine.sdk_clients import make_target

# Notes for each module whether the main thread imports it, makes a target, and prints that of one module.
IMPORTED_BY = """
import asyncio, importlib, sys, threading
from shared.protocols.registry import PROTOCOLS
from shared.providers.endpoints import Endpoint
from worker.engine.sdk_clients import make_target

by_main_thread = {}

class Watch:
    def find_spec(self, name, path=None, target=None):
        by_main_thread[name] = threading.current_thread() is threading.main_thread()

sys.meta_path.insert(0, Watch())
protocol, package, path = sys.argv[1:]
endpoint = Endpoint(name="e", protocol=protocol, base_url=f"http://127.0.0.1{PROTOCOLS[protocol].base_path}")
target = asyncio.run(make_target(endpoint, None, proxy=None, connect_s=1))
print(by_main_thread.get(package, False), target.head.startswith(f"POST {path} HTTP/1.1".encode()))
"""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_sdk_is_imported_by_a_thread_when_it_is_first_needed(protocol: str) -> None:
    """It takes a second, in which the worker's heartbeats must go on."""
    package = PROTOCOLS[protocol].sdk().error.__module__.partition(".")[0]
    (path,) = (path for path, wire in WIRE_FORMATS.items() if wire.name == protocol)
    command = [sys.executable, "-c", IMPORTED_BY, protocol, package, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("fa\u00df.example", "xn--fa-hia.example"),
        ("xn--fa-hia.example", "xn--fa-hia.example"),
        ("\u03b2\u03cc\u03bb\u03bf\u03c2.example", "xn--nxasmm1c.example"),
        ("b\u00fccher.example:8443", "xn--bcher-kva.example"),
        ("[::1]:8443", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
    ],
)
async def test_the_host_to_connect_to_is_the_one_that_the_request_names(authority: str, host: str) -> None:
    """An older encoding of international names makes `fass` of the first. The key would go to another domain."""
    endpoint = Endpoint(name="e", protocol="openai", base_url=f"https://{authority}/v1")
    target = await make_target(endpoint, None, proxy=None, connect_s=1)
    assert isinstance(target, SocketTarget)
    assert target.host == host
    # What the system's resolver and TLS make of it.
    assert target.host.encode("idna").decode() == host
