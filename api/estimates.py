"""Estimates what a benchmark will send, take and cost, from its spec and the prices in force."""

import asyncio
from decimal import Decimal
from typing import Any

from shared.benchmark.estimate import estimate
from shared.benchmark.spec import BenchmarkSpec
from shared.clock import Clock
from shared.db.datasets import DatasetRepository
from shared.providers.base_price import base_price
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, TokenCounts
from shared.workloads.loads import load_of
from shared.workloads.rows import AnyRow, DatasetRows


class Estimator:
    """For `POST /benchmarks` and `POST /benchmarks/estimate`."""

    def __init__(self, price_list: PriceList, clock: Clock, datasets: DatasetRepository) -> None:
        self._datasets = datasets
        self._price_list = price_list
        self._clock = clock

    async def of(self, spec: BenchmarkSpec, endpoint: Endpoint) -> dict[str, Any]:
        """`spec` has its defaults. In a thread: the first use of the price list and many prompts take a while."""
        rows = await self._datasets.rows_of(spec)
        return await asyncio.to_thread(self._estimate, spec, endpoint, rows)

    def _estimate(self, spec: BenchmarkSpec, endpoint: Endpoint, rows: DatasetRows[AnyRow] | None) -> dict[str, Any]:
        price = base_price(endpoint, spec.model, self._price_list, self._clock.wall_now())

        def cost(read: int, written: int) -> Decimal | None:
            return None if price is None else price.cost_usd(TokenCounts(read, written))

        return estimate(spec, load_of(spec, rows=rows), cost)
