"""The grammar of model names and headers."""

import pytest

from simulator.fault import Fault, FaultKind
from simulator.profile import InvalidHeader, Profile, UnknownOption

DEFAULTS = Profile()


def parse(model: str, **headers: str) -> Profile:
    return Profile.parse(model, {name.replace("_", "-"): value for name, value in headers.items()}, DEFAULTS)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-3-haiku-20240307", "simulated-err500", "", "sim"])
def test_other_names_have_the_defaults(model: str) -> None:
    """A name that is no `sim-…` name chooses nothing."""
    assert parse(model) == DEFAULTS


def test_every_number_is_read() -> None:
    """Each numbered option sets its own field, fractions of a millisecond included."""
    profile = parse("sim-ttft0.5-gap20-n64-jit5-chunk4-think3-split7-cut9-every5")
    expected = Profile(ttft_ms=0.5, gap_ms=20, tokens=64, jitter_ms=5, chunk=4, think=3, split_ms=7, cut=9, every=5)
    assert profile == expected


def test_every_flag_is_read() -> None:
    """Each flag sets its own field, and `empty` means no tokens."""
    flags = "burst-earlyrole-usage0-nodone-nostreamoptions-tool-summary-empty-ignoremax-utf8-nul-html"
    expected = Profile(
        tokens=0, burst=True, early_role=True, no_usage=True, no_done=True, no_stream_options=True, tool=True,
        summary=True, ignore_max=True, utf8=True, nul=True, html=True,
    )  # fmt: skip
    assert parse(f"sim-{flags}") == expected


@pytest.mark.parametrize(
    ("text", "kind", "after", "status"),
    [
        ("err529", FaultKind.ERROR, 0, 529),
        ("err429hour", FaultKind.ERROR, 0, 429),
        ("errhtml502", FaultKind.ERROR, 0, 502),
        ("miderr3", FaultKind.MID_ERROR, 3, 0),
        ("rst12", FaultKind.RST, 12, 0),
        ("hang0", FaultKind.HANG, 0, 0),
        ("hanghead", FaultKind.HANG_HEAD, 0, 0),
        ("endless", FaultKind.ENDLESS, 0, 0),
    ],
)
def test_faults_are_read(text: str, kind: FaultKind, after: int, status: int) -> None:
    """A fault's name says its kind, its count or its status."""
    fault = parse(f"sim-{text}").fault
    assert fault is not None
    assert (fault.kind, fault.after, fault.status) == (kind, after, status)
    assert parse("any", x_sim_fault=text).fault == fault


@pytest.mark.parametrize(
    "option", ["foo", "ttft", "ttftx", "n1.5", "n-1", "chunk0", "cut0", "err418", "rst", "ttft99999999999", "n٣", ""]
)
def test_unknown_options_are_named(option: str) -> None:
    """An option that does not exist, or is out of range, is refused by name."""
    with pytest.raises(UnknownOption) as caught:
        parse(f"sim-ttft5-{option}")
    assert caught.value.option == option.split("-")[0]


def test_headers_win_over_the_name() -> None:
    """What a header says replaces what the model name says; the rest of the name stays."""
    profile = parse(
        "sim-ttft5-gap7-rst3", x_sim_ttft_ms="9", x_sim_fault="none", x_sim_options="tool-chunk2", accept="*/*"
    )
    assert profile == Profile(ttft_ms=9, gap_ms=7, tool=True, chunk=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("x_sim_ttft_ms", "soon"), ("x_sim_tokens", "-1"), ("x_sim_fault", "boom"), ("x_sim_typo", "1"),
     ("x_sim_options", "boom")],
)  # fmt: skip
def test_bad_headers_are_named(name: str, value: str) -> None:
    """An `x-sim-` header that says nothing known is refused, so that a typing error cannot pass for a result."""
    with pytest.raises(InvalidHeader) as caught:
        parse("gpt-4o", **{name: value})
    assert caught.value.header == name.replace("_", "-")


def test_defaults_hold_for_what_is_not_said() -> None:
    """A name changes only the fields it names."""
    defaults = Profile(ttft_ms=1, tokens=3, fault=Fault("err500", FaultKind.ERROR, status=500))
    profile = Profile.parse("sim-n9", {}, defaults)
    assert (profile.ttft_ms, profile.tokens, profile.fault) == (1, 9, defaults.fault)
