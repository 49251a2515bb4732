"""Keys, and browsers that log in with them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx2

from api.access.cookie import NAME
from shared.access.api_key import Hasher
from shared.access.caller import Caller
from shared.access.scopes import Scope
from shared.db.access.keys import KeyRepository, NewKey
from shared.db.connection.database import Database
from tests.api.pages.forms_of import FORM, led_to
from tests.api.pages.html import Page

ADMIN = Caller("default", "admin", "zzzzzzzz", via="cli")


async def make_key(
    database: Database, owner: str = "acme", scope: Scope = "run", name: str = "CI", expires_at: datetime | None = None
) -> tuple[str, str]:
    """(id, the key itself)."""
    row, key = await KeyRepository(ADMIN, database, Hasher()).create(NewKey(owner, name, scope, expires_at))
    return row.id, key


def cookie_in(answer: httpx2.Response) -> str:
    """The value that the answer sets."""
    value: str = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    return value


class Browser:
    """A client with a session. It sends forms with the token that its pages have."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.client.headers["accept"] = "text/html"

    async def log_in(self, key: str, to: str = "/ui/benchmarks") -> str:
        """Where the login leads."""
        answer = await self.client.post("/ui/login", content=urlencode({"key": key, "next": to}), headers=FORM)
        return led_to(answer)

    @property
    def cookie(self) -> str | None:
        return self.client.cookies.get(NAME)

    def use(self, cookie: str | None) -> None:
        """Sends this session's cookie from now on, and no other."""
        self.client.cookies.clear()
        self.client.headers.pop("cookie", None)
        if cookie is not None:
            self.client.headers["cookie"] = f"{NAME}={cookie}"

    async def status(self, cookie: str | None) -> int:
        """Of a page with this cookie."""
        self.use(cookie)
        return (await self.client.get("/ui/benchmarks")).status_code

    async def token(self) -> str:
        """Of the forms of this session."""
        page = Page((await self.client.get("/ui/benchmarks")).text)
        (meta,) = page.all("meta", name="csrf")
        return meta["content"]

    async def send(self, path: str, values: dict[str, str] | None = None, **headers: str) -> Any:
        """A form with its token."""
        content = urlencode({"csrf": await self.token(), **(values or {})})
        return await self.client.post(path, content=content, headers={**FORM, **headers})
