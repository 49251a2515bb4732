"""Sets budgets, and reads caps, reservations and the ledger of a database that a service uses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from shared.db.connection.database import Database
from shared.db.tables.money import Budget, Cap, Reservation, Spend
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEvent

# A token read costs a micro-dollar, a token written ten: every cost is exact, and no request is free.
PRICES = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "10"}


def priced(simulator_url: str, **fields: Any) -> dict[str, Any]:
    """An endpoint of the simulator with prices."""
    url = f"{simulator_url}/v1" if fields.get("protocol", "openai") != "anthropic" else simulator_url
    return {"name": "priced", "protocol": "openai", "base_url": url, "prices": PRICES, **fields}


class Ledger:
    """One database, over connections of its own."""

    def __init__(self, database_url: str) -> None:
        self._database = Database(database_url)

    async def close(self) -> None:
        await self._database.close()

    async def set_budget(self, key: str, cap: int, owner: str = "default") -> None:
        """`key`: as `owner:default:month`. `cap`: in micro-dollars."""
        kind, name, period = key.split(":")
        values = {"key": key, "owner": owner, "key_id": name if kind == "key" else None, "period": period, "cap": cap}
        async with self._database.write() as session:
            await session.execute(insert(Budget).values(**values, created_at=utc_now()))

    async def forget_budgets(self) -> None:
        """Without budgets, and as if none had been there. What was spent stays in the ledger."""
        async with self._database.write() as session:
            await session.execute(delete(Budget))
            await session.execute(delete(Cap))

    async def reserve(
        self,
        benchmark_id: int,
        caps: Sequence[str],
        amount: int,
        expires_at: datetime,
        *,
        owner: str = "acme",
        cap: int = 10**9,
    ) -> None:
        """What another benchmark, which need not be there, holds of these caps. They are made."""
        async with self._database.write() as session:
            for key in caps:
                await session.execute(insert(Cap).values(key=key, owner=owner, cap=cap, spent=0, reserved=amount))
            values = {"caps": list(caps), "amount": amount, "requests": 1, "expires_at": expires_at}
            day = expires_at.date()
            await session.execute(insert(Reservation).values(benchmark_id=benchmark_id, fence=1, day=day, **values))

    async def give_back(self, key: str, amount: int) -> None:
        async with self._database.write() as session:
            await session.execute(update(Cap).where(Cap.key == key).values(reserved=Cap.reserved - amount))

    async def caps(self) -> Sequence[Cap]:
        return await self._all(select(Cap).order_by(Cap.key))

    async def reservations(self) -> Sequence[Reservation]:
        return await self._all(select(Reservation))

    async def spend(self) -> Sequence[Spend]:
        return await self._all(select(Spend).order_by(Spend.benchmark_id, Spend.day))

    async def events(self) -> Sequence[WebhookEvent]:
        return await self._all(select(WebhookEvent).order_by(WebhookEvent.created_at))

    async def _all(self, query: Any) -> Sequence[Any]:
        async with self._database.read() as session:
            return (await session.scalars(query)).all()
