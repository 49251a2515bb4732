"""Says in one line why the API did not start, where the reason is known. Servers would log a traceback."""

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import LlmBenchError

FAILED = "lifespan.startup.failed"


class StartMiddleware:
    """Puts the message of a domain error in place of its traceback. Other errors keep theirs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_plain(message: Message) -> None:
            reason = sys.exception() if message["type"] == FAILED else None
            await send({**message, "message": reason.message} if isinstance(reason, LlmBenchError) else message)

        await self._app(scope, receive, send_plain)
