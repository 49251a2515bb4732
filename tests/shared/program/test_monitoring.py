"""What every program tells Prometheus."""

from shared.program.monitoring import Names


def test_labels_that_callers_choose_are_bounded() -> None:
    names = Names(most=2)
    assert [names.label(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]
