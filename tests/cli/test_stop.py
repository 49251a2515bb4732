"""Signals as a flag."""

import os
import signal

import pytest

from cli.exits import Interrupted
from cli.stop import SIGNALS, Stop


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_pause_and_every_later_one(number: signal.Signals) -> None:
    with Stop() as stop:
        stop.pause(0)
        os.kill(os.getpid(), number)
        for _ in range(2):
            with pytest.raises(Interrupted):
                stop.pause(60)


def test_a_second_signal_ends_the_program_at_once() -> None:
    with Stop():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_from_before_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stop():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            stop.pause(0)
    finally:
        signal.signal(signal.SIGHUP, before)
