"""What webhooks say, how they are signed and when they are tried again."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from shared.errors import Unavailable
from shared.webhooks.message import (
    LONGEST_WAIT_S,
    SCHEDULE_S,
    check_secret,
    new_secret,
    payload,
    signed_headers,
    wait_s,
)
from shared.webhooks.secret_box import SecretBox, new_key

BODY = payload("webhook.test", datetime(2025, 1, 15, 10, 30, tzinfo=UTC), {"sequence": 1})


def test_a_payload_is_type_timestamp_and_data() -> None:
    assert BODY == b'{"type":"webhook.test","timestamp":"2025-01-15T10:30:00Z","data":{"sequence":1}}'


@pytest.mark.parametrize("which", [0, 1])
def test_each_secret_that_signed_verifies(which: int) -> None:
    secrets = [new_secret(), new_secret()]
    headers = signed_headers("msg_1", datetime.now(UTC), BODY, secrets)
    assert Webhook(secrets[which]).verify(BODY, headers)["type"] == "webhook.test"


def test_neither_another_secret_nor_another_body_nor_an_old_one_verifies() -> None:
    secret = new_secret()
    headers = signed_headers("msg_1", datetime.now(UTC), BODY, [secret])
    old = signed_headers("msg_1", datetime.now(UTC) - timedelta(minutes=6), BODY, [secret])
    for check, body, sent in ((new_secret(), BODY, headers), (secret, BODY + b" ", headers), (secret, BODY, old)):
        with pytest.raises(WebhookVerificationError):
            Webhook(check).verify(body, sent)


def test_a_new_secret_is_one_and_never_the_same() -> None:
    assert check_secret(new_secret()) != new_secret()


@given(st.binary(max_size=80))
def test_a_secret_has_24_to_64_bytes(data: bytes) -> None:
    text = "whsec_" + base64.b64encode(data).decode()
    if 24 <= len(data) <= 64:
        assert check_secret(text) == text
    else:
        with pytest.raises(ValueError, match="24 to 64 random bytes"):
            check_secret(text)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "secret", "whsec_!!!", "é", "whsec_é", base64.b64encode(b"x" * 32).decode()]
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        check_secret(text)


def test_attempts_follow_the_schedule_and_end_with_it() -> None:
    assert [wait_s(step, None, 0) for step in range(11)] == [*SCHEDULE_S, None]
    assert len(SCHEDULE_S) == 10


@given(st.integers(1, 9), st.one_of(st.none(), st.floats(0, 1e9)), st.floats(-1, 1))
def test_a_wait_is_never_much_shorter_than_planned_and_never_longer_than_a_day(
    step: int, retry_after_s: float | None, jitter: float
) -> None:
    waited = wait_s(step, retry_after_s, jitter)
    assert waited is not None
    assert SCHEDULE_S[step] * 0.9 <= waited <= max(SCHEDULE_S[step] * 1.1, LONGEST_WAIT_S)
    if retry_after_s is not None:
        assert waited >= min(retry_after_s, LONGEST_WAIT_S)


def test_a_box_opens_what_it_or_its_older_keys_have_sealed() -> None:
    old, new = new_key(), new_key()
    sealed = SecretBox([old]).seal("whsec_x")
    assert "whsec_x" not in sealed
    assert SecretBox([new, old]).open(sealed) == "whsec_x"
    with pytest.raises(Unavailable, match="ENCRYPTION_KEY"):
        SecretBox([new]).open(sealed)


def test_a_box_without_a_key_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="llmbench webhooks key"):
        SecretBox([]).seal("x")
    with pytest.raises(ValueError, match="key"):
        SecretBox(["short"])
