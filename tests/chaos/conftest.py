"""One deployment for each database, made whole before each fault, and a table of what each fault cost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.chaos.history import Account, check, check_again
from tests.chaos.stack import Chaos, Json, chaos_stack


@dataclass
class Row:
    """A line of the table."""

    fault: str
    database: str
    account: Account
    note: str = ""


_rows = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_rows] = []


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chaos]:
    async with chaos_stack(request.param, tmp_path_factory.mktemp(request.param)) as chaos:
        await chaos.whole()
        yield chaos


class Scenario:
    """One fault: benchmarks are submitted, the fault comes, the history is checked."""

    def __init__(self, chaos: Chaos, fault: str, rows: list[Row]) -> None:
        self.chaos = chaos
        self._fault = fault
        self._rows = rows
        self._since = chaos.mark()
        self._planned: dict[int, int] = {}
        self._ended: dict[int, Json] = {}

    async def submit(self, prompts: int = 40, concurrency: int = 2, **spec: object) -> int:
        """By default a run of four seconds: time for a fault that comes after its first results."""
        body = {"model": "sim-ttft150-gap10-n4", "prompts": ["x"] * prompts, "concurrency": concurrency, **spec}
        number = await self.chaos.submit(**body)
        self._planned[number] = prompts
        return number

    async def submit_load(self, planned: int, **spec: object) -> int:
        """A benchmark that sends so many measured requests and no warm-up."""
        number = await self.chaos.submit(**spec)
        self._planned[number] = planned
        return number

    async def survived(self, note: str = "") -> Account:
        """Every promise holds of every benchmark of this scenario, and its line is written."""
        # Deliveries of webhooks need a worker.
        await self.chaos.whole()
        account = await check(self.chaos, list(self._planned), self._since, planned=self._planned)
        self.write(account, note)
        return account

    def write(self, account: Account, note: str = "") -> None:
        """The line of a scenario that has checks of its own."""
        self._rows.append(Row(self._fault, self.chaos.kind, account, note))


@pytest.fixture(scope="session")
def ended() -> dict[str, dict[int, Json]]:
    """By database: every benchmark as it ended."""
    return {}


@pytest.fixture
async def scenario(
    deployment: Chaos, request: pytest.FixtureRequest, ended: dict[str, dict[int, Json]]
) -> AsyncIterator[Scenario]:
    await deployment.whole()
    words = str(request.function.__doc__).splitlines()[0]
    yield Scenario(deployment, words, request.config.stash[_rows])
    await deployment.whole()
    earlier = ended.setdefault(deployment.kind, {})
    await check_again(deployment, earlier)
    for number in deployment.accepted:
        if number not in earlier:
            earlier[number] = await deployment.ended(number)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_rows]
    if not rows:
        return
    terminalreporter.section("faults survived")
    head = ("fault", "database", "results", "seen", "sent twice", "possible", "note")
    lines = [head] + [
        (
            row.fault,
            row.database,
            str(row.account.results),
            str(row.account.seen),
            str(row.account.duplicates),
            str(row.account.possible_duplicates),
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        terminalreporter.write_line("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)))
