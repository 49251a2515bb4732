"""What the simulator would bill: its own count of requests and tokens, by model, since it was started."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

import orjson

PATH = "/bill"
# A client that invents models must not fill the memory: later ones are counted together.
_MOST_MODELS = 10_000
_OTHERS = "other models"


@dataclass(slots=True)
class Item:
    """Of one model. `requests`: all that came; `answered`: to the end; `broken_off`: in the middle, by whomever.

    `refused`: with an error instead of an answer; they cost nothing. Tokens are those of answers, whole or not: the
    prompt, and what was written of the answer.
    """

    requests: int = 0
    answered: int = 0
    broken_off: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Billed(Protocol):
    """A request that has ended. `prompt_tokens` None: it was refused."""

    @property
    def model(self) -> str: ...
    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int: ...


class Bill:
    """Adds up the requests of one simulator."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    def begin(self, model: str) -> None:
        """A request has come."""
        self._of(model).requests += 1

    def end(self, request: Billed, *, whole: bool) -> None:
        """A request has ended. `whole`: all of its answer was written."""
        item = self._of(request.model)
        if request.prompt_tokens is None:
            item.refused += 1
            return
        item.answered += whole
        item.broken_off += not whole
        item.input_tokens += request.prompt_tokens
        item.output_tokens += request.output_tokens

    @property
    def items(self) -> Mapping[str, Item]:
        """By model."""
        return self._items

    def document(self) -> bytes:
        """The bill as JSON. Requests in flight are only in `requests`."""
        return orjson.dumps({"models": [{"model": model, **asdict(item)} for model, item in self._items.items()]})

    def _of(self, model: str) -> Item:
        name = model[:200]
        if name not in self._items and len(self._items) >= _MOST_MODELS:
            name = _OTHERS
        return self._items.setdefault(name, Item())
