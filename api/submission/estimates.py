"""Estimates what a benchmark will send, take and cost, from its spec and the prices in force."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.benchmark.estimate import SAMPLED, Count, estimate
from shared.benchmark.load.plan import PlannedLoad
from shared.benchmark.load.plans import plan_of
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.worst_total import WorstTotal, worst_total
from shared.clock import Clock
from shared.db.datasets.repository import DatasetRepository
from shared.errors import InvalidRequest
from shared.money import MICROS_A_USD
from shared.providers.base_price import base_price
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, TokenCounts
from shared.providers.worst_case import worst_price
from shared.providers.worst_requests import worst_case
from shared.workloads.rows import AnyRow, DatasetRows

# Sources whose requests follow from the spec alone.
_KNOWN = ("prompts", "generated", "builtin")
# Of how many requests the tokens are counted where each must be made first.
_MADE = 200


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimate as JSON, and the most that the requests can cost. `is_priced`: whether the model has a price."""

    document: dict[str, Any]
    worst: WorstTotal
    is_priced: bool


class Estimator:
    """For `POST /benchmarks` and `POST /benchmarks/estimate`."""

    def __init__(self, price_list: PriceList, clock: Clock, datasets: DatasetRepository) -> None:
        self._datasets = datasets
        self._price_list = price_list
        self._clock = clock

    async def of(self, spec: BenchmarkSpec, endpoint: Endpoint, *, with_tokenizer: bool) -> Estimated:
        """`spec` has its defaults. In a thread: the first use of price list and tokenizer, and many prompts, take time.

        `with_tokenizer` False: tokens are counted by bytes, which needs no tokenizer and is quick.
        """
        # They may be many: the answer to a submit does not wait for them.
        rows = await self._datasets.rows_of(spec) if with_tokenizer else None
        return await asyncio.to_thread(self._estimate, spec, endpoint, rows, with_tokenizer=with_tokenizer)

    def _estimate(
        self, spec: BenchmarkSpec, endpoint: Endpoint, rows: DatasetRows[AnyRow] | None, *, with_tokenizer: bool
    ) -> Estimated:
        now = self._clock.wall_now()
        price = base_price(endpoint, spec.model, self._price_list, now)

        def cost(read: int, written: int) -> Decimal | None:
            return None if price is None else price.cost_usd(TokenCounts(read, written))

        load = _load(spec, rows)
        workload = None if load is None else load.workload
        count = _count(spec) if with_tokenizer and workload is not None else None
        sampled = SAMPLED if spec.prompts else _MADE
        plan = plan_of(spec) if load is None else load.plan
        found = estimate(spec, plan, workload, cost, count, sampled=sampled)
        worst, dearest = WorstTotal(), worst_price(price, endpoint, spec, self._price_list, now)
        if workload is not None and (bound := worst_case(dearest, spec, workload, endpoint)) is not None:
            worst = worst_total(spec, plan, workload, bound, sampled=sampled)
        found["worst_case_usd"] = None if worst.total is None else worst.total / MICROS_A_USD
        return Estimated(found, worst, price is not None)


def _load(spec: BenchmarkSpec, rows: DatasetRows[AnyRow] | None) -> PlannedLoad | None:
    """What the spec sends, and when. None if its texts are not here: rows that were not read, tokenizers of workers."""
    if spec.workload is not None and spec.workload.source not in _KNOWN and rows is None:
        return None
    # Here, because tokenizer and corpus take a while to load.
    from shared.workloads.loads import load_of

    try:
        return load_of(spec, rows=rows)
    except InvalidRequest:
        return None


def _count(spec: BenchmarkSpec) -> Count | None:
    """The tokenizer's count. None if the tokenizer is a file, which only workers have."""
    from shared.workloads.tokenizer import tokenizer_of

    try:
        tokenizer = tokenizer_of(spec.model, None if spec.workload is None else spec.workload.tokenizer)
    except InvalidRequest:
        return None
    return tokenizer.count
