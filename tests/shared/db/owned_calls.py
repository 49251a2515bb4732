"""A call of every method that serves a caller: `Class.method`, and how it names what may be another owner's."""

from collections.abc import Callable
from typing import Any

from shared.db.access.audit import AuditFilter
from shared.db.benchmarks.pages import BenchmarkFilter
from shared.db.benchmarks.repository import Once
from shared.webhooks.message import NewEndpoint
from shared.workloads.rows import Row
from tests.shared.db.datasets.test_repository import blocks_of, new, some_rows
from tests.shared.db.owned_world import PAIR, Named, exported, reference, today
from tests.shared.db.rows import make_spec

Call = Callable[[Any, Named], Any]


async def listed(pages: Any) -> list[Any]:
    return [page async for page in pages]


def of_dataset(named: Named) -> Any:
    source = {"source": "dataset", "dataset": {"id": named.dataset, "sha256": "a" * 64, "rows": 3, "turns": 3}}
    return make_spec(prompts=[], workload=source)


# Reads that are told whose rows they may return by the caller alone, or name rows of an owner.
READS: dict[str, Call] = {
    "AuditRepository.page": lambda it, _: it.page(AuditFilter(), before_id=None, limit=9),
    "BaselineRepository.page": lambda it, _: it.page(after=None, limit=9),
    "BenchmarkPages.page": lambda it, _: it.page(BenchmarkFilter(metadata=[PAIR]), before=None, limit=9),
    "BenchmarkPages.of_ids": lambda it, its: it.of_ids([its.benchmark, its.open]),
    "BenchmarkPages.count_newer": lambda it, _: it.count_newer(BenchmarkFilter(), 0, most=9),
    "BenchmarkPages.makes_prompts": lambda it, its: it.makes_prompts(its.benchmark),
    "BenchmarkPages.prompt_texts": lambda it, its: it.prompt_texts(its.benchmark, [0, 1], 99),
    "BenchmarkPages.prompts": lambda it, its: it.prompts(its.benchmark, after=-1, limit=9),
    "BenchmarkPages.prompt_documents": lambda it, its: it.prompt_documents(its.benchmark, [0, 1]),
    "BenchmarkRepository.spec": lambda it, its: it.spec(its.benchmark),
    "BenchmarkRepository.get": lambda it, its: it.get(its.benchmark),
    "BenchmarkRepository.status": lambda it, its: it.status(its.benchmark),
    "BudgetRepository.page": lambda it, _: it.page(after=None, limit=9),
    "ChartRepository.blocks": lambda it, its: listed(it.blocks(its.benchmark, 99)),
    "ChartRepository.errors": lambda it, its: it.errors(its.benchmark),
    "ChartRepository.examples": lambda it, its: it.examples([its.result]),
    "ChartRepository.stored": lambda it, its: it.stored(its.benchmark),
    "ChartRepository.has": lambda it, its: it.has(its.benchmark, 1),
    "ComparisonRows.of": lambda it, its: it.of(its.benchmark, 9),
    "DatasetRepository.page": lambda it, _: it.page(before_id=None, limit=9),
    "DatasetRepository.get": lambda it, its: it.get(its.dataset),
    "DatasetRepository.rows": lambda it, its: it.rows(its.dataset, after=-1, limit=9),
    "DatasetRepository.load": lambda it, its: it.load(its.dataset, Row),
    "DatasetRepository.rows_of": lambda it, its: it.rows_of(of_dataset(its)),
    "DeliveryHistory.page": lambda it, its: it.page(
        endpoint_id=its.endpoint, benchmark_id=None, before_id=None, limit=9
    ),
    "ExportRows.extent": lambda it, its: it.extent(its.benchmark, warmup=True),
    "ExportRows.block": lambda it, its: it.block(its.benchmark, warmup=True, after=0, last_id=2**40, limit=9),
    "HistoryRepository.series": lambda it, _: it.series(limit=9),
    "HistoryRepository.runs": lambda it, its: it.runs(its.prompt_set, limit=9),
    "KeyRepository.page": lambda it, _: it.page(after=None, limit=9),
    "LiveRepository.states": lambda it, its: it.states([its.benchmark]),
    "ObservationRepository.extent": lambda it, its: it.extent(its.benchmark),
    "ObservationRepository.samples": lambda it, its: listed(it.samples(its.benchmark)),
    "ResultPages.in_order": lambda it, its: it.in_order(its.benchmark, limit=9, with_warmup=True, with_timeline=True),
    "ResultPages.page": lambda it, its: it.page(
        its.benchmark,
        outcome=None,
        warmup=None,
        sort="id",
        descending=False,
        after=None,
        limit=9,
        with_timeline=False,
    ),
    "ResultPages.sent_prompts": lambda it, its: it.sent_prompts(its.benchmark, after=-1, limit=9),
    "ResultPages.rows": lambda it, its: it.rows([its.result], with_timeline=True),
    "ResultPages.shown": lambda it, its: it.shown([its.result], 99),
    "SegmentRepository.of": lambda it, its: it.of(its.benchmark),
    "SpendRepository.page": lambda it, _: it.page("benchmark", today(), today(), limit=9),
    "StageRepository.of": lambda it, its: it.of(its.benchmark),
    "WebhookRepository.page": lambda it, _: it.page(before_id=None, limit=9),
    "WebhookRepository.get": lambda it, its: it.get(its.endpoint),
    "WebhookRepository.of_benchmark": lambda it, its: it.of_benchmark(its.benchmark),
    "WorkerActivity.open_benchmarks": lambda it, _: it.open_benchmarks(limit=9),
    "WorkerActivity.last_measurements": lambda it, _: it.last_measurements(["worker-acme"]),
}

# Changes, and reads for them: they reach only rows of the caller's own owner, even for one who sees all.
OWN: dict[str, Call] = {
    "BaselineRepository.get": lambda it, its: it.get(its.baseline),
    "BaselineRepository.put": lambda it, its: it.put(its.baseline, its.benchmark),
    "BaselineRepository.delete": lambda it, its: it.delete(its.baseline),
    "BenchmarkRepository.create": lambda it, its: it.create(of_dataset(its), "simulator"),
    "BenchmarkRepository.replayed": lambda it, its: it.replayed(Once(its.idempotency_key, "print")),
    "BenchmarkRepository.cancel": lambda it, its: it.cancel(its.open),
    "BenchmarkRepository.delete": lambda it, its: it.delete(its.doomed),
    "DatasetRepository.by_identity": lambda it, its: it.by_identity(its.identity),
    "DatasetRepository.find": lambda it, its: it.find(reference(its), "workload.dataset"),
    "DatasetRepository.delete": lambda it, its: it.delete(its.dataset),
    "DeliveryHistory.redeliver": lambda it, its: it.redeliver(its.delivery, endpoint_id=its.endpoint),
    "ImportRepository.by_key": lambda it, its: it.by_key(its.import_key),
    "WebhookRepository.change": lambda it, its: it.change(its.endpoint, {"enabled": False}),
    "WebhookRepository.rotate": lambda it, its: it.rotate(its.endpoint, "new"),
    "WebhookRepository.test": lambda it, its: it.test(its.endpoint),
    "WebhookRepository.delete": lambda it, its: it.delete(its.endpoint),
}

# These make rows of the caller's owner, also where another owner has an equal one.
MAKES: dict[str, Call] = {
    "BenchmarkRepository.create_once": lambda it, its: it.create_once(
        Once(its.idempotency_key, "print"), make_spec(), "simulator"
    ),
    "DatasetRepository.add": lambda it, its: it.add(new(3, its.identity), blocks_of(some_rows(3))),
    "ImportRepository.add": lambda it, its: it.add(exported(its.import_key)),
    "WebhookRepository.add": lambda it, _: it.add(NewEndpoint("http://beta.test/", None, [])),
}


# Why these are not bound to an owner.
UNBOUND: dict[str, str] = {
    "BudgetRepository.put": "its route is for admins, who set the budgets of all owners",
    "BudgetRepository.get": "its route is for admins",
    "BudgetRepository.delete": "its route is for admins",
    "ChartRepository.store": "it reads nothing; who may see a benchmark may make its charts (see the test of it)",
    "ExportRows.group": "it says how many of the next rows fit, at least one; it is bound like `block`",
    "KeyRepository.create": "its route is for admins, who make keys for all owners",
    "KeyRepository.revoke": "its route is for admins, who revoke any key",
    "SpendRepository.today": "it reads the clock",
    "WorkerActivity.of_others": "it counts what the caller may not see, and nothing else (see the test of it)",
}
