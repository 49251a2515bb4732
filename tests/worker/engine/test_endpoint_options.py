"""What an endpoint adds to its requests, seen from the server: both transports send the same."""

import functools
import ssl
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from shared.protocols.registry import PROTOCOLS, protocol_named
from simulator.server import Simulator
from tests.support.servers.scripted import ScriptedServer, http
from tests.support.streams import openai_stream
from tests.worker.engine.running import KEY, Run, Transport, run_over
from worker.engine.children import Children

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
ANSWER = http(openai_stream("Hallo"))


class Sent:
    """The head and body of a request as they arrived."""

    def __init__(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.target = first.split(" ")[1]
        self._headers = [line.split(": ", 1) for line in lines]
        self.body: dict[str, Any] = orjson.loads(body)

    def header(self, name: str) -> list[str]:
        """Every value of this header."""
        return [value for other, value in self._headers if other.lower() == name.lower()]


@pytest.fixture
def run(transport: Transport, children: Children) -> Run:
    return functools.partial(run_over, children, transport)


async def sent(run: Run, protocol: str = "openai", **options: Any) -> Sent:
    """What a server gets from an endpoint with these options. Its answer may be of another protocol."""
    async with ScriptedServer([ANSWER]).running() as server:
        await run(server.url, protocol, "m", **options)
    (raw,) = server.requests
    return Sent(raw)


@every_protocol
async def test_the_key_goes_where_the_sdk_puts_it_and_nowhere_else(run: Run, protocol: str) -> None:
    request = await sent(run, protocol)
    carriers = [name for name in ("authorization", "x-api-key", "api-key") if request.header(name)]
    assert len(carriers) == 1
    (value,) = request.header(carriers[0])
    assert value.removeprefix("Bearer ") == KEY


@every_protocol
@pytest.mark.parametrize(
    ("key_header", "value"),
    [
        ("api-key", KEY),
        ("x-api-key", KEY),
        ("X-Goog-Api-Key", KEY),
        ("Authorization", f"Bearer {KEY}"),
        ("authorization", f"Bearer {KEY}"),
    ],
)
async def test_the_key_goes_into_the_header_that_the_endpoint_names(
    run: Run, protocol: str, key_header: str, value: str
) -> None:
    request = await sent(run, protocol, options={"key_header": key_header, "api_key_env": "SOME_KEY"})
    assert request.header(key_header) == [value]
    others = {"authorization", "x-api-key", "api-key"} - {key_header.lower()}
    assert [request.header(name) for name in others] == [[]] * len(others)


@every_protocol
async def test_an_endpoint_without_a_key_sends_none(run: Run, protocol: str) -> None:
    """A gateway may refuse a token that it does not know, although it needs none."""
    request = await sent(run, protocol, options={"api_key_env": None})
    assert [request.header(name) for name in ("authorization", "x-api-key", "api-key")] == [[], [], []]


@every_protocol
async def test_query_and_headers_are_sent_with_values_from_variables(run: Run, protocol: str) -> None:
    request = await sent(
        run,
        protocol,
        options={
            "query": {"api-version": "2024-10-21", "sig": {"env": "SIG"}},
            "headers": {
                "X-Team": "search",
                "Cf-Access-Token": {"env": "TOKEN"},
                "Authorization": {"env": "BASIC", "prefix": "Basic "},
                "User-Agent": "bench",
            },
        },
        variables={"SIG": "a+b/c=", "TOKEN": "t0ken", "BASIC": "dXNlcjpwYXNz"},
    )
    path, _, query = request.target.partition("?")
    assert path.startswith(protocol_named(protocol).base_path)
    assert query == "api-version=2024-10-21&sig=a%2Bb%2Fc%3D"
    assert request.header("x-team") == ["search"]
    assert request.header("cf-access-token") == ["t0ken"]
    assert request.header("authorization") == ["Basic dXNlcjpwYXNz"]
    assert request.header("user-agent") == ["bench"]
    assert request.header("accept-encoding") == ["identity"]
    assert len(request.header("content-length")) == len(request.header("host")) == 1


@every_protocol
async def test_further_fields_of_endpoint_and_benchmark_are_in_the_body(run: Run, protocol: str) -> None:
    request = await sent(
        run,
        protocol,
        options={"extra_body": {"ignore_eos": True, "o": {"a": 1, "b": 1}, "min_tokens": 1}},
        extra_body={"o": {"b": 2}, "min_tokens": 256, "nothing": None},
    )
    assert request.body["ignore_eos"] is True
    assert request.body["o"] == {"a": 1, "b": 2}
    assert request.body["min_tokens"] == 256
    assert request.body["nothing"] is None
    assert (request.body["model"], request.body["stream"]) == ("m", True)


# TLS


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """PEM files: `ca` of the server, `cert` and `key` of a client, `both` in one."""
    folder: Path = tmp_path_factory.mktemp("tls")
    client = ca.issue_cert("client.example")
    ca.cert_pem.write_to_path(folder / "ca")
    client.private_key_pem.write_to_path(folder / "key")
    client.cert_chain_pems[0].write_to_path(folder / "cert")
    client.private_key_and_cert_chain_pem.write_to_path(folder / "both")
    return {path.name: str(path) for path in folder.iterdir()}


def server_context(ca: trustme.CA, name: str = "127.0.0.1", *, asks_for_a_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    if asks_for_a_certificate:
        ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_an_own_ca_is_trusted_by_the_endpoint_that_names_it(
    run: Run, ca: trustme.CA, files: dict[str, str]
) -> None:
    async with Simulator(tls=server_context(ca)) as server:
        (trusted,) = await run(server.base_url, "openai", "sim-n4", options={"tls": {"ca_file": files["ca"]}})
        (strange,) = await run(server.base_url, "openai", "sim-n4")
    assert (trusted.outcome, trusted.error) == ("succeeded", None)
    assert strange.error is not None
    assert strange.error.kind == "tls_error"


async def test_a_certificate_for_another_name_is_refused_with_an_own_ca_too(
    run: Run, ca: trustme.CA, files: dict[str, str]
) -> None:
    async with Simulator(tls=server_context(ca, "elsewhere.example")) as server:
        (record,) = await run(server.base_url, "openai", "m", options={"tls": {"ca_file": files["ca"]}})
    assert record.error is not None
    assert record.error.kind == "tls_error"


@pytest.mark.parametrize("given", [("cert", "key"), ("both",)])
async def test_a_client_certificate_is_shown_to_the_server(
    run: Run, ca: trustme.CA, files: dict[str, str], given: tuple[str, ...]
) -> None:
    names = ("client_cert", "client_key")
    tls = {"ca_file": files["ca"]} | {name: files[file] for name, file in zip(names, given, strict=False)}
    async with Simulator(tls=server_context(ca, asks_for_a_certificate=True)) as server:
        (known,) = await run(server.base_url, "openai", "sim-n4", options={"tls": tls})
        (unknown,) = await run(server.base_url, "openai", "sim-n4", options={"tls": {"ca_file": files["ca"]}})
        assert len(server.requests) == 1
    assert (known.outcome, known.error) == ("succeeded", None)
    # The server refuses after the handshake, so the request may be on its way already.
    assert unknown.error is not None
    assert unknown.error.kind in ("connection_lost", "tls_error")


async def test_without_verification_any_server_is_measured(run: Run) -> None:
    async with Simulator(tls=server_context(trustme.CA(), "elsewhere.example")) as server:
        (record,) = await run(server.base_url, "openai", "sim-n4", options={"tls": {"verify": False}})
    assert (record.outcome, record.error) == ("succeeded", None)
