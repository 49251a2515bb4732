"""The worst cases of a benchmark's requests, by the dearest prices: the same for a submit and for a worker."""

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import Workload
from shared.benchmark.worst_case import WorstCase
from shared.providers.endpoints import Endpoint
from shared.providers.worst_case import WorstPrice


def worst_case(
    price: WorstPrice | None, spec: BenchmarkSpec, workload: Workload, endpoint: Endpoint | None
) -> WorstCase | None:
    """None without a price. `endpoint` None: this process does not have it."""
    if price is None:
        return None
    extra = ExtraFields({} if endpoint is None else endpoint.extra_body, spec.extra_body)
    wanted = spec.workload
    factor = None if wanted is None or wanted.tokenizer is None else wanted.token_factor or 1.0
    return WorstCase(workload, price.micro_usd, extra, token_factor=factor)
