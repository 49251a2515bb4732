"""Lookups of host names: those that hang do not keep others waiting."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from shared.network.resolver import AT_ONCE, MOST, MOST_OF_ONE_DOMAIN, OF_ONE_DOMAIN, ThreadResolver
from shared.network.ssrf import ForbiddenUrl, SsrfGuard


class Names:
    """A blocking lookup. Names that begin with `hang` get no answer before `answer` is called."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._answered = threading.Event()

    def __call__(self, name: str) -> Sequence[str]:
        self.asked[name] += 1
        if name.startswith("hang"):
            self._answered.wait()
        if name.startswith("unknown"):
            raise OSError("no such host")
        return ["93.184.215.14"]

    def answer(self) -> None:
        self._answered.set()


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    yield names
    names.answer()


async def test_a_good_name_is_resolved_beside_many_that_hang(names: Names) -> None:
    resolve = ThreadResolver(names)
    hanging = [asyncio.create_task(resolve(f"hang.site-{number}.example")) for number in range(100)]
    same = [asyncio.create_task(resolve(f"hang-{number}.evil.example")) for number in range(100)]
    assert await resolve("good.example.org") == ["93.184.215.14"]
    # One domain gets no more than its share.
    assert sum(names.asked[f"hang-{number}.evil.example"] for number in range(100)) <= OF_ONE_DOMAIN
    assert len(names.asked) <= AT_ONCE
    names.answer()
    assert await asyncio.gather(*hanging, *same) == [["93.184.215.14"]] * 200


async def test_a_name_that_hangs_is_looked_up_once(names: Names) -> None:
    resolve = ThreadResolver(names)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(resolve("hang.example"), 0.01)
    assert names.asked["hang.example"] == 1
    names.answer()
    assert await resolve("hang.example") == ["93.184.215.14"]


async def test_a_caller_that_gives_up_does_not_end_the_lookup_of_another(names: Names) -> None:
    resolve = ThreadResolver(names)
    one, two = (asyncio.create_task(resolve("hang.example")) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait([one])
    names.answer()
    assert await two == ["93.184.215.14"]


@pytest.mark.parametrize(
    ("pattern", "most"), [("hang-{}.evil.example", MOST_OF_ONE_DOMAIN), ("hang.site-{}.example", MOST)]
)
async def test_more_than_a_bounded_number_of_lookups_do_not_wait(names: Names, pattern: str, most: int) -> None:
    resolve = ThreadResolver(names)
    waiting = [asyncio.create_task(resolve(pattern.format(number))) for number in range(most)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many host names"):
        await resolve(pattern.format(most))
    # A name that is being looked up needs no room.
    again = asyncio.create_task(resolve(pattern.format(0)))
    names.answer()
    assert await asyncio.gather(*waiting, again) == [["93.184.215.14"]] * (most + 1)
    assert await resolve(pattern.format(most)) == ["93.184.215.14"]


async def test_an_unknown_name_is_forbidden_and_asked_for_again(names: Names) -> None:
    guard = SsrfGuard(resolve=ThreadResolver(names))
    for _ in range(2):
        with pytest.raises(ForbiddenUrl, match="cannot be resolved"):
            await guard.check("https://unknown.example/")
    assert names.asked["unknown.example"] == 2
