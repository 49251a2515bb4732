"""What judges garbage finds it."""

import gc

from tests.support.garbage import garbage


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


class Other(Ring):
    """A ring of another name."""


def test_what_refers_to_itself_is_counted_by_its_class() -> None:
    with garbage(f"{__name__}.Ring") as left:
        Ring()
        Ring()
        Other()
    assert left == {f"{__name__}.Ring": 2}


def test_what_is_still_in_use_or_is_freed_at_once_is_no_garbage() -> None:
    with garbage(__name__) as left:
        kept, freed = Ring(), Ring()
        freed.itself = kept
        del freed
    assert left == {}
    assert kept.itself is kept


def test_what_was_there_before_is_not_counted_although_it_is_let_go_inside() -> None:
    earlier = [Ring()]
    with garbage(__name__) as left:
        earlier.clear()
    assert left == {}


def test_the_collector_is_as_it_was_also_after_an_error() -> None:
    try:
        with garbage(__name__):
            assert not gc.isenabled()
            raise ValueError
    except ValueError:
        pass
    assert (gc.isenabled(), gc.get_debug(), gc.garbage) == (True, 0, [])
