"""Search in the price list, best match first. Used by `GET /models`.

An id finds the entry that prices it, by the same rules by which a benchmark finds its endpoint and its price. So
`claude-3-haiku-20240307` finds the entry `claude-3-haiku`.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import IntEnum

from shared.errors import UnknownModel
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.prices import PricedModel, PriceList

# An id is one word. Only this many words of a query, the first ones, are looked up as ids.
MAX_IDS = 4


class Rank(IntEnum):
    """How well an entry matches; the best comes first."""

    # It prices a benchmark that has this id as its model and names no provider.
    BENCHMARK = 0
    # It prices this id at another configured endpoint, or the word is an id or alias of that endpoint's provider.
    ENDPOINT = 1
    # The word is an id or alias of a provider without a configured endpoint.
    NAME = 2
    # Its names contain the words.
    WORDS = 3


@dataclass(frozen=True, slots=True)
class FoundModel:
    """An entry that matches. `aliases` includes a searched id that names it only by a rule, such as a dated one."""

    rank: Rank
    model: PricedModel
    endpoint: str | None
    aliases: tuple[str, ...]

    @property
    def key(self) -> tuple[int, str, str]:
        """What results are sorted by. No two entries have the same key."""
        return self.rank, self.model.provider, self.model.model


class ModelSearch:
    """Finds models of the price list by words."""

    def __init__(self, price_list: PriceList, endpoints: EndpointRegistry) -> None:
        self._price_list = price_list
        self._endpoints = endpoints

    def find(self, query: str, provider: str | None) -> list[FoundModel]:
        """Entries that match every word of the query. Loads the price list if nothing has loaded it yet."""
        words = list(dict.fromkeys(query.split()))
        endpoint_of = {item.price_provider: item.name for item in reversed(list(self._endpoints))}
        priced = self._priced(words[:MAX_IDS])
        found = []
        for model in self._price_list.models:
            if provider is not None and model.provider != provider:
                continue
            by_rule = priced.get((model.provider, model.model), {})
            if not all(word in by_rule or word.lower() in model.text for word in words):
                continue
            endpoint = endpoint_of.get(model.provider)
            ranks = list(by_rule.values())
            if any(word.lower() in model.ids for word in words):
                ranks.append(Rank.NAME if endpoint is None else Rank.ENDPOINT)
            asked = tuple(word for word in by_rule if word.lower() not in model.ids)
            found.append(FoundModel(min(ranks, default=Rank.WORDS), model, endpoint, (*asked, *model.aliases)))
        return sorted(found, key=lambda item: item.key)

    def _priced(self, ids: list[str]) -> dict[tuple[str, str], dict[str, Rank]]:
        """(provider, model) of an entry → the ids that it prices, each with its rank."""
        entries: defaultdict[tuple[str, str], dict[str, Rank]] = defaultdict(dict)
        for model in ids:
            chosen = self._chosen(model)
            for endpoint in self._endpoints:
                entry = self._price_entry(model, endpoint)
                if entry is not None:
                    rank = Rank.BENCHMARK if endpoint is chosen else Rank.ENDPOINT
                    entries[entry][model] = min(rank, entries[entry].get(model, rank))
        return entries

    def _chosen(self, model: str) -> Endpoint | None:
        """The endpoint of a benchmark that names no provider, as if every key were there."""
        try:
            return self._endpoints.resolve(model, None, lambda endpoint: True)
        except UnknownModel:
            return None

    def _price_entry(self, model: str, endpoint: Endpoint) -> tuple[str, str] | None:
        if endpoint.price_provider is None or endpoint.prices is not None:
            return None
        return self._price_list.listed(model, None if endpoint.price_provider == "*" else endpoint.price_provider)
