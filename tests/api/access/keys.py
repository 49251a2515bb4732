"""Makes keys for tests, and writes them as a request has them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from shared.access.api_key import ApiKeyText, Hasher, parse
from shared.access.caller import Caller
from shared.access.scopes import Scope
from shared.clock import wall_now
from shared.db.access.keys import KeyRepository, NewKey
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey

ADMIN = Caller("default", "admin", key_id="00000000", via="key")


def bearer(key: ApiKeyText | str) -> dict[str, str]:
    return {"authorization": f"Bearer {key if isinstance(key, str) else key.text}"}


class KeyMaker:
    """Keys in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._keys = KeyRepository(ADMIN, database, Hasher())

    async def make(self, scope: Scope = "run", owner: str = "default", **more: Any) -> ApiKeyText:
        _, text = await self._keys.create(NewKey(owner, f"{scope} of {owner}", scope, **more))
        return parse(text)

    async def revoked(self, scope: Scope = "admin") -> ApiKeyText:
        key = await self.make(scope)
        await self._keys.revoke(key.id)
        return key

    async def expired(self, scope: Scope = "admin") -> ApiKeyText:
        return await self.make(scope, expires_at=wall_now() - timedelta(seconds=1))

    async def revoke(self, key: ApiKeyText) -> None:
        await self._keys.revoke(key.id)

    async def set(self, key: ApiKeyText, **values: Any) -> None:
        async with self.database.write() as session:
            await session.execute(update(ApiKey).where(ApiKey.id == key.id).values(**values))
