"""`llmbench webhooks`: a key, and a receiver that verifies and prints."""

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.exits import ExitCode
from cli.main import app
from cli.receiver import Receiver
from shared.clock import wall_now
from shared.webhooks.message import new_secret, payload, signed_headers

BODY = payload("benchmark.completed", wall_now(), {"id": 7, "name": "Speed\x1b[31m", "sequence": 2})


@pytest.fixture
def receiver() -> Receiver:
    listening = Receiver("127.0.0.1", 0, 503, as_json=False)
    listening.secret = new_secret()
    return listening


def test_key_prints_one_that_encrypts() -> None:
    printed = CliRunner().invoke(app, ["webhooks", "key"]).stdout
    assert Fernet(printed.strip()).encrypt(b"x")


def test_what_is_signed_is_printed_without_what_could_move_the_cursor(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = signed_headers("msg_1", wall_now(), BODY, [str(receiver.secret)])
    assert receiver.receive(headers, BODY) == 503
    printed = capsys.readouterr().out
    assert "benchmark.completed" in printed
    assert "benchmark 7 (Speed" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("wrong", ["another secret", "no signature", "another body", "no secret yet"])
def test_what_is_not_signed_is_refused(receiver: Receiver, capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    secret = new_secret() if wrong == "another secret" else str(receiver.secret)
    headers = signed_headers("msg_1", wall_now(), BODY, [secret])
    if wrong == "no signature":
        del headers["webhook-signature"]
    if wrong == "no secret yet":
        receiver.secret = None
    assert receiver.receive(headers, BODY + b" " if wrong == "another body" else BODY) == 401
    assert "NOT VERIFIED" in capsys.readouterr().err


def test_a_wrong_secret_is_a_wrong_option() -> None:
    done = CliRunner().invoke(app, ["webhooks", "listen", "--secret", "whsec_short"])
    assert done.exit_code == ExitCode.USAGE
    assert "24 to 64 random bytes" in done.stderr
