"""Prepares webhook endpoints for storing: checks the URL, and makes and seals the secret."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from shared.errors import InvalidRequest
from shared.network.ssrf import ForbiddenUrl, SsrfGuard
from shared.webhooks.message import NewEndpoint, new_secret
from shared.webhooks.secret_box import SecretBox


@dataclass(frozen=True, slots=True)
class Prepared:
    """An endpoint to store, and its secret in clear text, which is shown once."""

    endpoint: NewEndpoint
    secret: str


class WebhookSetup:
    """Checks URLs and seals secrets before an endpoint is stored."""

    def __init__(self, guard: SsrfGuard, box: SecretBox) -> None:
        self._guard = guard
        self._box = box

    async def prepare(
        self, url: str, events: Sequence[str] | None, secret: SecretStr | None, *, field: str, description: str = ""
    ) -> Prepared:
        """`field` is the request's field with the URL. Raises InvalidRequest; Unavailable without ENCRYPTION_KEY."""
        clear = new_secret() if secret is None else secret.get_secret_value()
        sealed = self.seal(clear)
        await self.check(url, field)
        return Prepared(NewEndpoint(url, events, [sealed], description), clear)

    def seal(self, secret: str) -> str:
        """The encrypted secret. Raises Unavailable without ENCRYPTION_KEY."""
        return self._box.seal(secret)

    def open(self, sealed: str) -> str:
        """The secret in clear text. Raises Unavailable if the sealing key is not configured."""
        return self._box.open(sealed)

    async def check(self, url: str, field: str) -> None:
        """Raises InvalidRequest if webhooks may not be sent to the URL."""
        try:
            await self._guard.check(url)
        except ForbiddenUrl as exc:
            raise InvalidRequest.of(field, str(exc), "forbidden_url") from None
