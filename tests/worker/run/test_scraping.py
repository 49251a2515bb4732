"""Reading a Prometheus endpoint that answers anything, or nothing."""

import asyncio
import gzip
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from shared.clock import SystemClock
from shared.network.tls import TlsOptions, client_context
from shared.observing.sample import Reading
from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing
from shared.providers.metrics_urls import MetricsRequest
from tests.support.programs.ports import free_port
from tests.support.servers.receiver import Answer, hang, receiver, status
from worker.run.observing import scrapers_of
from worker.run.scraping import MAX_BYTES, Scraper

TEXTS = Path(__file__).parents[2] / "shared/observing/texts"
TEXT = "vllm:num_requests_running 3\n"
CLOSE = "connection: close"


def scraper(url: str, *headers: tuple[str, str], timeout_s: float = 30.0) -> Scraper:
    return Scraper(MetricsRequest(url, headers), client_context(), SystemClock(), timeout_s=timeout_s)


async def scrape(answer: Answer, **options: Any) -> Reading | str:
    async with receiver(answer) as server, scraper(server.url, **options) as one:
        return await one.scrape()


def answer_of(body: bytes, *headers: str) -> Answer:
    def write(writer: asyncio.StreamWriter, _: int) -> None:
        writer.write("\r\n".join(["HTTP/1.1 200 OK", CLOSE, *headers, "", ""]).encode() + body)

    return write


async def test_a_good_answer_is_a_reading() -> None:
    found = await scrape(status(200, CLOSE, body=TEXT))
    assert isinstance(found, Reading)
    assert found.values == {"running": 3.0}


@pytest.mark.parametrize("server", ["vllm", "sglang", "llamacpp", "tgi", "dcgm"])
async def test_each_server_is_read_over_http(server: str) -> None:
    found = await scrape(answer_of((TEXTS / f"{server}.txt").read_bytes(), "content-type: text/plain; version=0.0.4"))
    assert isinstance(found, Reading)
    assert found.values


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(500, CLOSE, body=TEXT), "http_error"),
        (status(401, CLOSE), "http_error"),
        # A redirect would lead workers to where the operator has not named.
        (status(302, CLOSE, "location: http://127.0.0.1:1/", body=TEXT), "http_error"),
        (answer_of(TEXT.encode() + b"#" * MAX_BYTES), "too_large"),
        (answer_of(b"\x00\xff" * 500_000), "no_known_series"),
        (answer_of(gzip.compress(TEXT.encode()), "content-encoding: gzip"), "no_known_series"),
        (answer_of(TEXT.encode(), "content-length: 5000"), "unreachable"),
        (lambda writer, _: writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n"), "unreachable"),
        (lambda writer, _: None, "unreachable"),
    ],
)
async def test_a_bad_answer_is_one_word(answer: Answer, kind: str) -> None:
    assert await scrape(answer) == kind


@pytest.mark.parametrize("answer", [hang, "drip"])
async def test_a_slow_answer_ends_with_the_time_limit(answer: Any) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"#")
            await asyncio.sleep(0.01)

    slow = answer if callable(answer) else lambda writer, _: drip(writer)
    # The suite's own patience ends a test that waits for ever.
    assert await scrape(slow, timeout_s=0.3) == "timed_out"


async def test_a_server_that_is_away_and_comes_back_is_read_again() -> None:
    answers = [status(503, CLOSE), status(200, CLOSE, body=TEXT)]
    async with receiver(lambda writer, number: answers[number](writer, number)) as server, scraper(server.url) as one:
        assert await one.scrape() == "http_error"
        assert isinstance(await one.scrape(), Reading)
    async with scraper(f"http://127.0.0.1:{free_port()}/metrics") as one:
        assert await one.scrape() == "unreachable"


async def test_headers_of_the_configuration_are_sent_and_secrets_are_not_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    endpoint = Endpoint.model_validate(
        {
            "name": "x",
            "protocol": "openai",
            "base_url": "http://127.0.0.1:1/v1",
            "metrics_urls": [
                {
                    "url": "http://127.0.0.1:1/metrics",
                    "query": {"token": {"env": "TOKEN"}},
                    "headers": {"Authorization": {"env": "TOKEN", "prefix": "Bearer "}},
                }
            ],
        }
    )
    async with receiver(status(500, CLOSE)) as server:
        port = server.url.split(":")[2].split("/")[0]
        moved = endpoint.model_dump() | {"metrics_urls": [endpoint.metrics_urls[0].model_dump()]}
        moved["metrics_urls"][0]["url"] = f"http://127.0.0.1:{port}/metrics"
        keys = KeyRing({"TOKEN": "planted/secret"})
        (one,) = scrapers_of(Endpoint.model_validate(moved), keys, SystemClock())
        async with one:
            assert await one.scrape() == "http_error"
        (received,) = server.received
        assert (received.method, received.path) == ("GET", "/metrics?token=planted%2Fsecret")
        assert received.headers["authorization"] == "Bearer planted/secret"
        assert received.headers["accept-encoding"] == "identity"
    said = capsys.readouterr()
    assert "planted" not in said.out + said.err


async def test_https_uses_the_tls_settings_of_the_endpoint(tmp_path: Path) -> None:
    authority, server_tls, ca_file = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), tmp_path / "ca"
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    authority.cert_pem.write_to_path(str(ca_file))
    async with receiver(status(200, CLOSE, body=TEXT), tls=server_tls) as server:
        good = client_context(TlsOptions(ca_file=str(ca_file)))
        for tls, expected in ((good, True), (client_context(), False)):
            async with Scraper(MetricsRequest(server.url, ()), tls, SystemClock(), timeout_s=30) as one:
                assert isinstance(await one.scrape(), Reading) is expected
