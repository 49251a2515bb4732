"""`llmbench webhooks`: a key, and a receiver that verifies and prints."""

import asyncio
import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.exits import ExitCode
from cli.main import app
from cli.receiver import Receiver
from shared.access.caller import LOCAL
from shared.clock import wall_now
from shared.db.connection.database import Database
from shared.db.schema.migrate import upgrade
from shared.db.webhooks.endpoints import WebhookRepository
from shared.webhooks.message import NewEndpoint, new_secret, payload, signed_headers
from shared.webhooks.secret_box import SecretBox, new_key
from tests.support.waiting import PATIENCE_S

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


@pytest.mark.parametrize("length", ["x", "-5", "1_0", "9" * 5_000])
def test_a_length_that_is_no_number_is_refused(receiver: Receiver, length: str) -> None:
    with receiver:
        connection = http.client.HTTPConnection(urlsplit(receiver.url).netloc, timeout=PATIENCE_S)
        connection.putrequest("POST", "/")
        connection.putheader("content-length", length)
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()


@pytest.mark.parametrize(
    ("options", "environment"), [(["--secret", "whsec_short"], {}), ([], {"LLMBENCH_WEBHOOK_SECRET": "whsec_short"})]
)
def test_a_wrong_secret_is_a_wrong_option(options: list[str], environment: dict[str, str]) -> None:
    done = CliRunner().invoke(app, ["webhooks", "listen", *options], env=environment)
    assert done.exit_code == ExitCode.USAGE
    assert "24 to 64 random bytes" in done.stderr


def test_reseal_lets_go_of_the_old_key(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    url = f"sqlite:///{tmp_path}/reseal.db"
    upgrade(url)

    async def add(*secrets: str) -> None:
        database = Database(url)
        await WebhookRepository(LOCAL, database).add(NewEndpoint("https://hooks.example/", None, secrets))
        await database.close()

    def run(keys: str, *options: str) -> tuple[int, str]:
        done = CliRunner().invoke(
            app, ["webhooks", "reseal", *options], env={"DATABASE_URL": url, "ENCRYPTION_KEY": keys}
        )
        return done.exit_code, done.output

    asyncio.run(add(SecretBox([old]).seal("whsec_a")))
    code, said = run(f"{new},{old}", "--check")
    assert code == ExitCode.FAILED
    assert "1 webhook secrets need the newest key, 0 have" in said
    assert "before you remove the old keys" in said
    code, said = run(new)
    assert code == ExitCode.FAILED
    assert "no key in ENCRYPTION_KEY opens the secrets of these webhooks: 1" in said
    code, said = run(f"{new},{old}")
    assert (code, "1 webhook secrets got the newest key, 0 had" in said) == (ExitCode.OK, True), said
    code, said = run(new, "--check")
    assert (code, "0 webhook secrets need the newest key, 1 have" in said) == (ExitCode.OK, True), said


def test_reseal_needs_a_key_and_a_database(tmp_path: Path) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/none.db", "ENCRYPTION_KEY": ""}
    assert "set ENCRYPTION_KEY" in CliRunner().invoke(app, ["webhooks", "reseal"], env=env).stderr
    done = CliRunner().invoke(app, ["webhooks", "reseal"], env={**env, "ENCRYPTION_KEY": new_key()})
    assert done.exit_code == ExitCode.FAILED
    assert "run `llmbench migrate`" in done.stderr
    assert list(tmp_path.iterdir()) == []
