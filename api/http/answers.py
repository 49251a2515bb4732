"""Long lists in answers: read, made and sent piece by piece, and bounded in bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from fastapi import status
from fastapi.responses import StreamingResponse

# A list ends before the item that would make it longer than this. It has at least one item.
MAX_LIST_BYTES = 8_000_000
# So many items, of about so many bytes, are in memory together.
ITEMS_AT_ONCE, BYTES_AT_ONCE = 50, 500_000


class Sized(Protocol):
    """An item that is still in the database. `size`: about its bytes as JSON."""

    @property
    def size(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


class JsonList(Generic[Item]):
    """The items of one list as JSON. When all pieces are made, `last` and `is_cut` say where it ended."""

    def __init__(self, items: Sequence[Item], make: Callable[[Sequence[Item]], Awaitable[list[bytes | None]]]) -> None:
        """`make` reads some items and returns the JSON of each, None for one that was deleted meanwhile."""
        self._items = items
        self._make = make
        self.last: Item | None = None
        self.is_cut = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """Items between commas, without the brackets."""
        size = 0
        for group in _groups(self._items):
            piece = bytearray()
            for item, made in zip(group, await self._make(group), strict=True):
                if made is not None:
                    if size and size + len(made) > MAX_LIST_BYTES:
                        self.is_cut = True
                        break
                    piece += b"," + made if size else made
                    size += len(made) + 1
                self.last = item
            yield bytes(piece)
            if self.is_cut:
                return


async def json_answer(
    pieces: AsyncIterator[bytes], status_code: int = status.HTTP_200_OK, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """Sends the pieces as they are made. If making the first two fails, the answer can still be an error."""
    first = [await anext(pieces), await anext(pieces)]

    async def all_pieces() -> AsyncIterator[bytes]:
        for piece in first:
            yield piece
        async for piece in pieces:
            yield piece

    return StreamingResponse(all_pieces(), status_code, headers, media_type="application/json")


def _groups(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    group: list[Item] = []
    size = 0
    for item in items:
        if group and (len(group) == ITEMS_AT_ONCE or size + item.size > BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(item)
        size += item.size
    if group:
        yield group
