"""Middleware against pages of other sites and against our own webhooks. It also adds the security headers.

Without keys, whatever a browser on this machine sends would be done; with them, it sends the cookie of its session.
"""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import problem_response
from api.http.proxy import route_path
from api.http.security_headers import security_headers
from shared.network.hosts import AllowedHosts
from shared.webhooks.message import USER_AGENT

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Probes may send any name, and there is nothing in the answers that a page could use.
ANY_HOST = ("/health", "/ready")


class GuardMiddleware:
    """Refuses requests to other host names, changes that another site's page asks for, and our own webhooks.

    And bodies of which a proxy in front may see another end than this server.
    """

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = [(name.encode(), value.encode()) for name, value in security_headers(route_path(scope)).items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *((name, value) for name, value in ours if name not in names)]
            await send(message)

        refused = self._refused(Request(scope))
        await (self._app if refused is None else refused)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        headers, path = request.headers, route_path(request.scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            # RFC 9112, section 6.3. A proxy that believes the other header takes what follows for another request.
            detail = "a request has either Content-Length or Transfer-Encoding, and not both"
            close = {"Connection": "close"}
            return problem_response(request, 400, "Two lengths of a body", detail, code="two_lengths", headers=close)
        hosts = headers.getlist("host")
        if path not in ANY_HOST and not (len(hosts) == 1 and self._hosts.allows(hosts[0])):
            detail = "the server does not answer to this host name; ALLOWED_HOSTS lists those that it answers to"
            return problem_response(request, 421, "Unknown host name", detail, code="unknown_host")
        if request.method in SAFE_METHODS:
            return None
        if not self._is_own_page(headers, hosts):
            detail = "a page of another site must not change anything here"
            return problem_response(request, 403, "Request of another site", detail, code="cross_site")
        if "webhook-id" in headers or headers.get("user-agent", "").startswith(USER_AGENT):
            detail = "this is the API itself: a webhook that changes something here could run for ever"
            return problem_response(request, 403, "Webhooks are not received here", detail, code="own_webhook")
        return None

    def _is_own_page(self, headers: Headers, hosts: list[str]) -> bool:
        origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        if len(origins) > 1 or len(sites) > 1:
            return False
        if origins and self._hosts.is_own(origins[0], hosts[0] if hosts else ""):
            return True
        # Programs send neither header. Browsers send at least one with every change, and no page can set them.
        return sites[0].strip().lower() in ("same-origin", "none") if sites else not origins
