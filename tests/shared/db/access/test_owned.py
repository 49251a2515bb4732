"""Repositories that serve a caller reach nothing of another owner; every public method of them has an entry."""

import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

import shared.db
from shared.access.api_key import Hasher
from shared.access.caller import LOCAL, Caller
from shared.db.benchmarks.repository import BenchmarkRepository, Once
from shared.db.connection.database import Database
from shared.db.datasets.repository import DatasetRepository
from shared.db.results.baselines import BaselineRepository
from shared.db.results.chart_rows import ChartRepository
from shared.db.results.export_rows import ExportRows
from shared.db.runs.datasets import RunDatasets
from shared.db.schema.revision import MIGRATIONS
from shared.db.tables.all_tables import METADATA
from shared.db.tables.benchmarks import IdempotencyKey
from shared.db.workers.activity import WorkerActivity
from shared.errors import Conflict, LlmBenchError, NotFound
from tests.shared.db.datasets.test_repository import blocks_of, new, some_rows
from tests.shared.db.owned_calls import MAKES, OWN, READS, UNBOUND, Call, of_dataset
from tests.shared.db.owned_world import SECRET, Named, fill
from tests.shared.db.rows import Tables, make_spec

ACME, BETA = Caller("acme", "run"), Caller("beta", "run")
# They are about the fleet, or find out who a caller is, or are asked for one benchmark that its route has looked up.
FOR_BOTH = {
    "shared.db.access.key_lookup",
    "shared.db.access.sessions",
    "shared.db.benchmarks.waits",
    "shared.db.money.caps",
    "shared.db.webhooks.reseal",
    "shared.db.workers.monitoring",
    "shared.db.workers.repository",
}
ADMIN = replace(BETA, scope="admin", sees_all=True)


def modules() -> Iterator[ModuleType]:
    """Every module in the rooms of `shared.db`."""
    for found in pkgutil.walk_packages(shared.db.__path__, "shared.db."):
        yield importlib.import_module(found.name)


def repositories() -> Iterator[type]:
    """Every class of `shared.db` that is made for a caller."""
    for module in modules():
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and "caller" in inspect.signature(found).parameters:
                yield found


CLASSES = {found.__name__: found for found in repositories()}


def methods() -> set[str]:
    return {
        f"{name}.{method}"
        for name, found in CLASSES.items()
        for method, _ in inspect.getmembers(found, inspect.isfunction)
        if not method.startswith("_")
    }


def made(name: str, caller: Caller, database: Database) -> Any:
    """The repository of a call's name, for this caller."""
    found = CLASSES[name.partition(".")[0]]
    more = [Hasher(())] if "hasher" in inspect.signature(found).parameters else []
    return found(caller, database, *more)


def plain(value: Any) -> Any:
    """What an answer says, so that two can be compared: a row is its class and its owner."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__table__"):
        texts = [str(item) for item in vars(value).values() if SECRET in str(item)]
        return [type(value).__name__, getattr(value, "owner", None), *texts]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value) if item.compare}
    if hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
        return [type(value).__name__, len(value)]
    return str(value)


async def answer(name: str, call: Call, caller: Caller, database: Database, named: Named) -> str:
    """What a call says. In an error, the names that it was given are left out."""
    try:
        return str(plain(await call(made(name, caller, database), named)))
    except LlmBenchError as exc:
        text = f"{type(exc).__name__} {exc.message} {plain(getattr(exc, 'errors', ()))}"
    given = {str(getattr(named, item.name)) for item in fields(named)}
    return re.sub(r"[\w.-]+", lambda word: "…" if word[0] in given else word[0], text)


async def rows_of(database: Database, owner: str) -> dict[str, list[Any]]:
    """All rows of the tables that have a column of the owner, but the log, which says what was done."""
    found = {}
    async with database.read() as session:
        for table in METADATA.sorted_tables:
            if "owner" in table.c and table.name != "audit_log":
                query = select(table).where(table.c.owner == owner).order_by(*table.primary_key.columns)
                found[table.name] = [tuple(row) for row in await session.execute(query)]
    return found


@pytest.fixture
async def named(database: Database) -> Named:
    return await fill(database, ACME, {"grade": "A"})


def test_every_public_method_has_an_entry() -> None:
    entries = [*READS, *OWN, *MAKES, *UNBOUND]
    assert len(set(entries)) == len(entries)
    assert set(entries) == methods()


def test_every_caller_is_the_first_argument_and_mandatory() -> None:
    for found in CLASSES.values():
        first = next(iter(inspect.signature(found).parameters.values()))
        assert (first.name, first.default) == ("caller", inspect.Parameter.empty), found


def test_import_contracts_name_every_module_of_repositories() -> None:
    """Those for callers are closed to the worker, and those of the worker to the API."""
    contracts = tomllib.loads((MIGRATIONS.parent / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    closed = {item["name"]: set(item["forbidden_modules"]) for item in contracts if "forbidden_modules" in item}
    to_api = closed["the API has only repositories that are bound to a caller"]
    to_worker = closed["the worker has no repository that is bound to a caller"]
    seen = set()
    for module in modules():
        name, source = module.__name__, Path(str(module.__file__)).read_text()
        if "@tries_again" in source:
            seen.add(name)
            bound = "caller: Caller, database: Database" in source
            rooms_and_modules = {name, name.rpartition(".")[0]}
            assert name in FOR_BOTH or rooms_and_modules & (to_worker if bound else to_api), name
    assert seen > FOR_BOTH


async def test_nothing_of_another_owner_is_read(database: Database, named: Named) -> None:
    for name, call in READS.items():
        foreign = await answer(name, call, BETA, database, named)
        assert foreign == await answer(name, call, BETA, database, Named.missing()), name
        assert SECRET not in foreign, name


async def test_an_owner_reads_its_own_and_who_sees_all_reads_the_same(database: Database, named: Named) -> None:
    """So a call that reads nothing, whoever asks, shows nothing above."""
    for name, call in READS.items():
        if name in ("BudgetRepository.page", "SpendRepository.page"):
            continue
        own = await answer(name, call, ACME, database, named)
        if name != "BenchmarkPages.makes_prompts":
            assert own != await answer(name, call, BETA, database, named), name
        assert own == await answer(name, call, ADMIN, database, named), name


@pytest.mark.parametrize("caller", [BETA, ADMIN], ids=["other", "admin"])
async def test_nothing_of_another_owner_is_changed(database: Database, named: Named, caller: Caller) -> None:
    for name, call in OWN.items():
        before = await rows_of(database, "acme")
        foreign = await answer(name, call, caller, database, named)
        assert foreign == await answer(name, call, caller, database, Named.missing()), name
        assert SECRET not in foreign, name
        assert await rows_of(database, "acme") == before, name


async def test_an_owner_changes_its_own(database: Database, named: Named) -> None:
    for name, call in OWN.items():
        if name == "BaselineRepository.delete":
            # What is deleted last was read and given before.
            assert "main" in str(await rows_of(database, "acme"))
        foreign = await answer(name, call, BETA, database, named)
        assert await answer(name, call, ACME, database, named) != foreign, name


async def test_what_is_made_is_the_callers_own(database: Database, named: Named) -> None:
    for name, call in MAKES.items():
        before = await rows_of(database, "acme")
        value = await call(made(name, BETA, database), named)
        row, is_new = value if isinstance(value, tuple) else (value, True)
        assert (row.owner, is_new) == ("beta", True), name
        assert await rows_of(database, "acme") == before, name
        if isinstance(value, tuple):
            again, is_new = await call(made(name, BETA, database), named)
            assert (again.id, is_new) == (row.id, False), name


async def test_charts_are_kept_by_those_who_may_see_the_benchmark(database: Database, named: Named) -> None:
    await ChartRepository(BETA, database).store(named.benchmark, 2, b"beta")
    stored = await ChartRepository(ACME, database).stored(named.benchmark)
    assert stored is not None
    assert (stored.version, stored.document) == (1, SECRET.encode())
    await ChartRepository(ADMIN, database).store(named.benchmark, 2, b"same for all")
    assert await ChartRepository(ACME, database).has(named.benchmark, 2)


async def test_a_group_of_an_export_is_not_larger_for_a_row_that_is_there(database: Database, named: Named) -> None:
    async def group(caller: Caller) -> int:
        rows = ExportRows(caller, database)
        values: dict[str, Any] = {"warmup": True, "after": 0, "last_id": 2**40, "most_bytes": 10**6}
        return await rows.group(named.benchmark, **values, large=())

    assert (await group(ACME), await group(BETA)) == (2, 1)


async def test_others_are_counted_and_not_named(database: Database, named: Named) -> None:
    assert await WorkerActivity(BETA, database).of_others() == {None: 2}
    assert await WorkerActivity(ACME, database).of_others() == {}
    assert await WorkerActivity(ADMIN, database).of_others() == {}
    ((_, measured),) = (await WorkerActivity(BETA, database).last_measurements(["worker-acme"])).items()
    assert (measured.benchmark_id, measured.document) == (None, {"grade": "A"})


async def test_owners_give_the_same_name_to_baselines_of_their_own(database: Database, named: Named) -> None:
    tables = Tables(database)
    await BenchmarkRepository(ACME, database).cancel(named.open)
    await BenchmarkRepository(ACME, database).cancel(named.doomed)
    number = await tables.add()
    await tables.leases.finish(await tables.claimed(), "completed", summary=None, error=None)
    of_default = BaselineRepository(LOCAL, database)
    assert (await of_default.put("main", number))[1] is True
    assert [item.name for item in await of_default.page(after=None, limit=9)] == ["main"]
    theirs = await BaselineRepository(ACME, database).page(after=None, limit=9)
    assert [(item.key, item.name, item.benchmark_id) for item in theirs] == [("acme/main", "main", named.benchmark)]
    with pytest.raises(Conflict, match=r"is the baseline main: give"):
        await BenchmarkRepository(ACME, database).delete(named.benchmark)
    everyones = await BaselineRepository(replace(LOCAL, sees_all=True), database).page(after=None, limit=1)
    assert [item.key for item in everyones] == ["acme/main"]
    rest = await BaselineRepository(replace(LOCAL, sees_all=True), database).page(after="acme/main", limit=9)
    assert [item.key for item in rest] == ["main"]


async def test_nobody_can_send_the_stored_key_of_another_owner(database: Database, named: Named) -> None:
    """A header holds no space. So what looks most like the stored key is a key as any other."""
    async with database.read() as session:
        stored = (await session.scalars(select(IdempotencyKey.key))).all()
    [of_acme] = [key for key in stored if key.startswith("acme")]
    assert " " in of_acme
    guessed = Once(of_acme.replace(" ", ""), "print")
    ours = BenchmarkRepository(LOCAL, database)
    assert await ours.replayed(guessed) is None
    _, is_new = await ours.create_once(guessed, make_spec(), "simulator")
    assert is_new
    _, is_new = await BenchmarkRepository(ACME, database).create_once(
        Once("another", "print"), make_spec(), "simulator"
    )
    assert is_new


async def test_a_run_loads_only_datasets_of_its_owner(database: Database) -> None:
    stored, _ = await DatasetRepository(ACME, database).add(new(3), blocks_of(some_rows(3)))
    spec = of_dataset(replace(Named.missing(), dataset=stored.id))
    rows = await RunDatasets(database).rows_of(spec, "acme")
    assert rows is not None
    assert len(rows) == 3
    with pytest.raises(NotFound, match=f"there is no dataset {stored.id}"):
        await RunDatasets(database).rows_of(spec, "beta")
