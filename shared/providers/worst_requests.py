"""The worst cases of a benchmark's requests, by the dearest prices that may apply to any of them."""

from datetime import datetime

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import Workload
from shared.benchmark.worst_case import WorstCase
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot
from shared.providers.worst_case import with_tiers


def worst_case_of(
    spec: BenchmarkSpec,
    endpoint: Endpoint,
    workload: Workload,
    price: PriceSnapshot,
    price_list: PriceList,
    at: datetime,
) -> WorstCase:
    """`price`: that of the standard tier."""
    prices = with_tiers(price, endpoint, spec.model, _asked_tiers(spec, endpoint), price_list, at)
    named = None if spec.workload is None or spec.workload.tokenizer is None else spec.workload.token_factor or 1.0
    return WorstCase(workload, prices.micro_usd, ExtraFields(endpoint.extra_body, spec.extra_body), token_factor=named)


def _asked_tiers(spec: BenchmarkSpec, endpoint: Endpoint) -> set[str]:
    """The service tiers that any of its requests may ask for."""
    asked = [
        spec.extra_body.get("service_tier"),
        endpoint.extra_body.get("service_tier"),
        spec.parameters.service_tier,
        *(prompt.parameters.service_tier for prompt in spec.prompts),
    ]
    return {tier for tier in asked if isinstance(tier, str)}
