"""One attempt to a real receiver: signed, guarded, short, and what its answer is taken for."""

import asyncio
import ssl
from typing import Any

import pytest
import trustme

from shared.clock import SystemClock
from shared.network.ssrf import SsrfGuard
from shared.webhooks.message import SCHEDULE_S
from tests.support.servers.receiver import LOOPBACK, Answer, hang, receiver, status
from tests.worker.webhooks.sending import BOX, SECRET, due
from worker.webhooks.sender import MAX_KEPT_CHARS, Sender

AGAIN_S = SCHEDULE_S[1]


def sender(**options: Any) -> Sender:
    """Without jitter."""
    return Sender(SsrfGuard(LOOPBACK), BOX, SystemClock(), lambda: 0, **options)


async def test_2xx_is_a_success_and_the_request_is_signed() -> None:
    async with receiver() as hooks:
        attempt = await sender().attempt(due(hooks.url))
    assert (attempt.succeeded, attempt.status_code, attempt.error, attempt.wait_s) == (True, 204, None, None)
    (request,) = hooks.received
    assert request.verified(SECRET)["data"]["id"] == 7
    assert (request.method, request.path, request.headers["content-type"]) == (
        "POST",
        "/hooks?token=x",
        "application/json",
    )


def too_much(writer: asyncio.StreamWriter, _number: int) -> Any:
    """A gigabyte, as fast as the other side takes it."""

    async def flood() -> None:
        writer.write(b"HTTP/1.1 500 X\r\ncontent-length: 1000000000\r\n\r\n")
        for _ in range(1_000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()

    return flood()


def no_http(writer: asyncio.StreamWriter, _number: int) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")


REFUSALS: list[tuple[str, Answer, int | None, str]] = [
    ("500", status(500, body="broken"), 500, "answered 500"),
    ("404", status(404), 404, "answered 404"),
    ("redirect", status(301, "location: http://127.0.0.1:1/"), 301, "redirects are not followed"),
    ("307", status(307, "location: http://169.254.169.254/"), 307, "redirects are not followed"),
    ("flood", too_much, 500, "answered 500"),
    ("no http", no_http, None, "not HTTP"),
]


@pytest.mark.parametrize(("answer", "code", "words"), [item[1:] for item in REFUSALS], ids=[i[0] for i in REFUSALS])
async def test_what_is_not_2xx_has_failed_and_is_tried_again(answer: Answer, code: int | None, words: str) -> None:
    async with receiver(answer) as hooks:
        attempt = await sender().attempt(due(hooks.url))
    assert len(hooks.received) == 1
    assert (attempt.succeeded, attempt.status_code, attempt.wait_s) == (False, code, AGAIN_S)
    assert words in str(attempt.error)
    assert len(attempt.response or "") <= MAX_KEPT_CHARS


async def test_a_receiver_that_does_not_answer_has_failed_when_the_time_is_over() -> None:
    async with receiver(hang) as hooks:
        attempt = await sender(timeout_s=0.2).attempt(due(hooks.url))
    assert (attempt.succeeded, attempt.status_code, attempt.wait_s) == (False, None, AGAIN_S)
    assert attempt.error == "no complete answer within 0.2 s"


async def test_410_says_that_the_receiver_is_gone() -> None:
    async with receiver(status(410)) as hooks:
        assert (await sender().attempt(due(hooks.url))).gone is True


async def test_a_longer_retry_after_is_kept() -> None:
    async with receiver(status(429, "retry-after: 120")) as hooks:
        attempt = await sender().attempt(due(hooks.url))
    assert attempt.error == "answered 429"
    assert attempt.wait_s == 120


@pytest.mark.parametrize("value", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "soon", "-5", "1e9"])
async def test_an_odd_retry_after_is_passed_over(value: str) -> None:
    async with receiver(status(503, f"retry-after: {value}")) as hooks:
        attempt = await sender().attempt(due(hooks.url))
    assert (attempt.error, attempt.wait_s) == ("answered 503", AGAIN_S)


async def test_a_retry_after_without_end_is_a_day() -> None:
    async with receiver(status(503, f"retry-after: {'9' * 400}")) as hooks:
        assert (await sender().attempt(due(hooks.url))).wait_s == 24 * 3_600


async def test_a_receiver_without_a_certificate_that_we_trust_gets_nothing() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with receiver(tls=tls) as hooks:
        attempt = await sender().attempt(due(hooks.url))
    assert attempt.error == "TLS failed"
    assert hooks.received == []


async def test_an_address_that_leads_inside_is_refused_when_it_is_sent_to() -> None:
    attempt = await sender().attempt(due("http://10.0.0.1/"))
    assert attempt.error == "it leads to an address that is not public"
