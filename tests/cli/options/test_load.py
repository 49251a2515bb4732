"""The load that the flags of `llmbench run` make, over that of a spec file."""

from typing import Any

import pytest

from cli.exits import CliError
from cli.options.load import pair, with_load


def load(spec: dict[str, Any], short: dict[str, Any] | None = None, **flags: Any) -> Any:
    short = short or {}
    return with_load({**spec, **short}, flags, given=short)


def test_the_short_form_stays_without_a_flag_that_it_lacks() -> None:
    assert load({"prompts": ["x"]}, {"concurrency": 4}, duration_s=None) == {"prompts": ["x"], "concurrency": 4}
    assert load({"concurrency": 4}) == {"concurrency": 4}


def test_other_flags_move_the_short_form_into_the_load() -> None:
    assert load({"model": "m", "concurrency": 4, "warmup": 2}, duration_s=5) == {
        "model": "m",
        "load": {"concurrency": 4, "warmup": {"requests": 2}, "duration_s": 5},
    }
    assert load({"request_rate": 5, "arrival": "poisson", "arrival_seed": 3, "concurrency": 9}, duration_s=5) == {
        "load": {"request_rate": 5, "arrival": "poisson", "seed": 3, "max_concurrency": 9, "duration_s": 5}
    }


def test_flags_go_over_the_load_of_the_file() -> None:
    file = {"load": {"request_rate": 5, "duration_s": 60, "warmup": {"requests": 3, "concurrency": 2}}}
    assert load(file) == file
    assert load(file, duration_s=5, warmup_s=2)["load"] == {
        "request_rate": 5,
        "duration_s": 5,
        "warmup": {"requests": 3, "concurrency": 2, "duration_s": 2},
    }
    assert load(file, {"request_rate": 7, "concurrency": 9})["load"]["max_concurrency"] == 9
    assert file["load"]["duration_s"] == 60


def test_the_control_of_a_flag_replaces_that_of_the_file() -> None:
    assert load({"load": {"concurrency": 5}}, {"request_rate": 7})["load"] == {"request_rate": 7}
    assert load({"load": {"concurrency": 5}}, {"concurrency": 7})["load"] == {"concurrency": 7}
    assert load({"load": {"request_rate": 5}}, burst="10:3")["load"] == {"burst": {"requests": 10, "every_s": 3}}


def test_what_the_file_says_twice_is_left_to_the_server() -> None:
    file = {"concurrency": 3, "load": {"concurrency": 5}}
    assert load(file, duration_s=3) == {"concurrency": 3, "load": {"concurrency": 5, "duration_s": 3}}
    assert load({"load": 3}, duration_s=3) == {"load": 3}


def test_flags_with_two_values() -> None:
    assert load({}, {"concurrency": 8}, ramp="2:60")["load"] == {"concurrency": 8, "ramp": {"from": 2, "over_s": 60}}
    assert load({}, {"concurrency": 8}, first_wave_s=3)["load"] == {
        "concurrency": 8,
        "first_wave": "spread",
        "first_wave_s": 3,
    }
    assert pair("0.5:1.5", "--ramp", "from", "over_s") == {"from": 0.5, "over_s": 1.5}


@pytest.mark.parametrize("text", ["1", "1:2:3", "a:2", ":"])
def test_a_pair_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CliError, match=r"must be two numbers with a colon"):
        pair(text, "--ramp", "from", "over_s")


def test_a_burst_and_a_rate_exclude_each_other() -> None:
    with pytest.raises(CliError, match="exclude each other"):
        load({}, {"request_rate": 3}, burst="10:3")
