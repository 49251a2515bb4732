"""The server that is up in this folder: all commands use it by default."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CliError, ExitCode
from cli.options.common import DEFAULT_SERVER
from cli.server.announcement import Announced, announced, digest
from cli.terminal.output import QUIET, WARNING, note
from cli.waiting import Deadline

if TYPE_CHECKING:
    from cli.server.answers import Json
    from shared.providers.endpoints import Endpoint
    from shared.providers.key_ring import KeyRing
    from shared.settings import Settings

# A starting server gets this long, which is what `up` itself gives it.
_START_S = 90.0
_LOOK_S = 0.05
_DATABASE = "llmbench.db"


def server_or_default(given: str | None) -> str:
    """The server to ask: the given one, else that of this folder, else the default."""
    if given is not None:
        return given
    here = announced(Path())
    if here is not None and here.url is not None:
        return here.url
    if Path(_DATABASE).exists():
        note(f"no server is up in this folder; asking {DEFAULT_SERVER}", QUIET)
    return DEFAULT_SERVER


def server_for_run(body: "Json", pause: Callable[[float], None]) -> str | None:
    """The server of this folder, if it measures what a stack of this environment would; else None, and says why.

    Names the endpoint in `body`, so that the server cannot choose another one for the model. Raises CliError.
    """
    here = _started(pause)
    if here is None or here.url is None:
        return None
    objection = _objection(here, here.url, body)
    if objection is not None:
        note(f"not using the server that is up in this folder ({here.url}): {objection}", WARNING)
        note("starting a stack for this run", QUIET)
        return None
    note(f"using the server that is up in this folder: {here.url}", QUIET)
    return here.url


def _started(pause: Callable[[float], None]) -> Announced | None:
    """The announced server once it is ready. None if there is none, or if it gave up."""
    deadline, here = Deadline(_START_S), announced(Path())
    if here is not None and here.url is None:
        note("waiting for the server that starts in this folder", QUIET)
    while here is not None and here.url is None:
        if deadline.passed:
            raise CliError(
                f"the `llmbench up` of this folder (pid {here.pid}) does not get ready", ExitCode.UNREACHABLE
            )
        pause(_LOOK_S)
        here = announced(Path())
    return here


def _objection(here: Announced, url: str, body: "Json") -> str | None:
    """What keeps this server from measuring what is meant here; None if nothing does."""
    from cli.server.client import Client
    from shared.settings import load_key_ring, load_settings

    settings, keys = load_settings(), load_key_ring()
    if "database_url" in settings.model_fields_set and here.database != digest(settings.database_url):
        return "it has another database than DATABASE_URL says here"
    endpoint = _chosen(settings, keys, body)
    if endpoint is None:
        # Only the server knows the endpoint, or nobody does.
        return None
    with Client(url) as client:
        there = next((item for item in client.providers() if item["name"] == endpoint.name), None)
    if there is None:
        return f"it has no endpoint {endpoint.name!r}, which is configured here"
    if there["fingerprint"] != settings.identities().of(endpoint).fingerprint:
        return f"its endpoint {endpoint.name!r} ({there['base_url']}) is not the one that is configured here"
    if there["ready"]:
        body["provider"] = endpoint.name
    elif keys.can_use(endpoint):
        return f"it has no key for {endpoint.name!r}, which is set here"
    return None


def _chosen(settings: "Settings", keys: "KeyRing", body: "Json") -> "Endpoint | None":
    """The endpoint that a stack of this environment would measure, or would if it had the key."""
    from shared.errors import InvalidRequest, MissingKey
    from shared.providers.prices import PriceList

    endpoints, provider = settings.endpoints(PriceList()), body.get("provider")
    if provider is not None:
        return endpoints.get(str(provider))
    for has_key in (keys.can_use, lambda _: True):
        try:
            return endpoints.resolve(str(body.get("model") or ""), None, has_key)
        except MissingKey:
            continue
        except InvalidRequest:
            break
    return None
