"""`python -m simulator` as a process."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from simulator.main import main
from tests.simulator.raw import exchange, openai_request
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


class Address:
    """Enough of a simulator for `exchange`."""

    def __init__(self, port: int) -> None:
        self.port = port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_program_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It prints its address once it listens, serves with its defaults, and a signal ends it cleanly."""
    log = tmp_path / "requests.jsonl"
    options = ["--port", "0", "--ttft-ms", "1", "--gap-ms", "1", "--tokens", "3", "--request-log", str(log)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *options, "--require-key", "sk-secret",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("simulator listening on http://127.0.0.1:")
        address = Address(int(line.rsplit(":", 1)[1]))
        headers = {"authorization": "Bearer sk-secret", "connection": "close"}
        response = await exchange(address, openai_request("gpt-4o", headers))
        assert len(response.contents) == 3
        resetting = openai_request("sim-gap20-rst2", {"authorization": "Bearer sk-secret"})
        response = await exchange(address, resetting)
        assert (len(response.contents), response.reset) == (2, True)
        hanging = openai_request("sim-hang1", {"authorization": "Bearer sk-secret"})
        await exchange(address, hanging, until=b"Measured ")
    finally:
        process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["output_tokens"] for line in lines] == [3, 2, 1]
    assert "sk-secret" not in log.read_text()


def test_help_lists_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` holds the whole grammar."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for option in ("ttftN", "splitN", "earlyrole", "nostreamoptions", "err429date", "miderrN", "hanghead"):
        assert option in text


@pytest.mark.parametrize("options", [["--port", "70000"], ["--ttft-ms", "nan"], ["--tokens", "-1"], ["--what"]])
def test_bad_options_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A value that cannot be is a usage error."""
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
