"""Wrong tries at the login are slowed down: those of an address, and those of all together."""

from api.access.throttle import (
    FORGET_S,
    FREE_TRIES,
    LONGEST_PAUSE_S,
    MAX_ADDRESSES,
    TRIES_OF_ALL,
    TRIES_OF_ALL_PER_S,
    LoginThrottle,
)
from shared.clock import SystemClock


class StoodClock(SystemClock):
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic_ns(self) -> int:
        return int(self.now_s * 1e9)


def tried(throttle: LoginThrottle, clock: StoodClock, address: str, times: int) -> list[float]:
    """Tries as often, each as soon as it may; the pauses before each."""
    pauses = []
    for _ in range(times):
        pause = throttle.begin(address)
        clock.now_s += pause
        if pause:
            assert throttle.begin(address) == 0
        pauses.append(round(pause, 6))
    return pauses


def test_after_some_wrong_tries_the_pause_doubles_up_to_a_minute() -> None:
    clock = StoodClock()
    pauses = tried(LoginThrottle(clock), clock, "192.0.2.1", FREE_TRIES + 9)
    assert pauses == [0] * FREE_TRIES + [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(pauses) == LONGEST_PAUSE_S


def test_an_address_that_waits_is_not_made_to_wait_longer_by_asking() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    tried(throttle, clock, "192.0.2.1", FREE_TRIES + 3)
    first = throttle.begin("192.0.2.1")
    assert all(throttle.begin("192.0.2.1") == first for _ in range(20))


def test_others_do_not_wait_for_one_address() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    tried(throttle, clock, "192.0.2.1", FREE_TRIES)
    assert throttle.begin("192.0.2.1") > 0
    assert throttle.begin("192.0.2.2") == 0


def test_the_right_key_and_a_quarter_of_an_hour_make_good() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    tried(throttle, clock, "192.0.2.1", FREE_TRIES)
    throttle.succeeded("192.0.2.1")
    assert tried(throttle, clock, "192.0.2.1", FREE_TRIES) == [0] * FREE_TRIES
    clock.now_s += FORGET_S + 1
    assert tried(throttle, clock, "192.0.2.1", FREE_TRIES) == [0] * FREE_TRIES


def test_one_host_has_all_addresses_of_an_ipv6_network() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    for number in range(FREE_TRIES):
        assert throttle.begin(f"2001:db8::{number}") == 0
    assert throttle.begin("2001:db8::ffff") > 0
    assert throttle.begin("2001:db8:0:1::1") == 0
    assert throttle.begin("::ffff:192.0.2.1") == throttle.begin("192.0.2.1") == 0


def test_many_addresses_together_are_slowed_down() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    assert [throttle.begin(f"10.0.0.{number}") for number in range(TRIES_OF_ALL)] == [0] * TRIES_OF_ALL
    pause = throttle.begin("10.0.1.1")
    assert pause == 1 / TRIES_OF_ALL_PER_S
    clock.now_s += pause
    assert throttle.begin("10.0.1.1") == 0
    # Who has the right key does not use it up for others.
    clock.now_s += 10
    for number in range(100):
        assert throttle.begin(f"10.0.2.{number}") == 0
        throttle.succeeded(f"10.0.2.{number}")


def test_a_bounded_number_of_addresses_is_remembered() -> None:
    clock = StoodClock()
    throttle = LoginThrottle(clock)
    for number in range(MAX_ADDRESSES + 10):
        clock.now_s += 1
        throttle.begin(f"host-{number}")
    assert len(throttle._of) == MAX_ADDRESSES
