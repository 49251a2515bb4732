"""Prices of what was served: maybe another model or service tier than was asked for. Used by `worker.run.pricing`."""

from dataclasses import dataclass
from datetime import datetime

from shared.providers.prices import PriceList, PriceSnapshot
from shared.providers.served_model import is_more_exact, is_of_same_family, is_same_name


@dataclass(frozen=True, slots=True)
class Served:
    """What an answer says it came from. `model` None: it names none. `tier` None: the standard one."""

    model: str | None
    tier: str | None


class ServedPrices:
    """Compares what was served with the model that was asked for, and finds its price in the list."""

    def __init__(
        self, model: str, provider_id: str | None, base: PriceSnapshot | None, price_list: PriceList, at: datetime
    ) -> None:
        """`base`: the price of the model that was asked for. `provider_id` None: the provider that the list infers."""
        self._model = model
        self._provider_id = provider_id
        self._base = base
        self._list = price_list
        self._at = at

    def is_asked_model(self, served: str) -> bool:
        """Whether this names the model that was asked for, by the name itself or by the price list."""
        return is_same_name(self._model, served) or self._has_same_entry(served)

    def of(self, served: Served) -> PriceSnapshot | None:
        """The price at the start of the run; None if it is unknown."""
        name = self._model if served.model is None else self._name_to_price(served.model)
        if name is None:
            return None
        if name == self._model and served.tier is None:
            return self._base
        return self._list.snapshot(name, self._provider_id, self._at, served.tier)

    def _name_to_price(self, served: str) -> str | None:
        """The model whose price counts; None if it is not known which."""
        if served == self._model:
            return served
        listed = self._list.snapshot(served, self._provider_id, self._at) is not None
        if self.is_asked_model(served):
            # A release may have a price of its own.
            own = listed and is_more_exact(self._model, served) and not self._has_same_entry(served)
            return served if own else self._model
        if listed:
            return served
        # An alias, a deployment or a file says nothing about the price. The name of another model does.
        is_other_model = is_of_same_family(self._model, served) or self._list.provider_of(served) is not None
        return None if is_other_model else self._model

    def _has_same_entry(self, served: str) -> bool:
        return self._list.has_same_entry(self._model, served, self._provider_id)
