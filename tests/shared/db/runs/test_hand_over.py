"""Claims that nobody got are given back, each once, whatever happens meanwhile."""

import asyncio

import pytest

from shared.db.runs.hand_over import HandOver
from shared.errors import Unavailable


class Claims:
    """Claims 1 and 2 are taken, but the answers to both commits are lost."""

    def __init__(self) -> None:
        self.given_back: list[int] = []
        self.away = True
        self.waiting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.hand_over = HandOver(self._give_back)

    async def lose_two(self) -> None:
        async def claim(taken: list[int]) -> None:
            taken += [1, 2]
            raise Unavailable("no answer to the commit")

        with pytest.raises(Unavailable):
            await self.hand_over.of(claim)
        assert self.given_back == []
        self.away = False

    async def _give_back(self, claim: int) -> None:
        if self.away:
            raise Unavailable("away")
        self.waiting.set()
        await self.go_on.wait()
        self.given_back.append(claim)


@pytest.fixture
async def claims() -> Claims:
    claims = Claims()
    await claims.lose_two()
    return claims


async def test_two_that_give_back_at_the_same_time_leave_nothing_out(claims: Claims) -> None:
    both = [asyncio.create_task(claims.hand_over.give_back()) for _ in range(2)]
    await claims.waiting.wait()
    claims.go_on.set()
    await asyncio.gather(*both)
    assert sorted(claims.given_back) == [1, 2]


async def test_what_could_not_be_given_back_is_tried_again(claims: Claims) -> None:
    giving = asyncio.create_task(claims.hand_over.give_back())
    await claims.waiting.wait()
    giving.cancel()
    await asyncio.wait([giving])
    claims.go_on.set()
    await claims.hand_over.give_back()
    assert sorted(claims.given_back) == [1, 2]
