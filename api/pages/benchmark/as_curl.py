"""One request of a benchmark as a curl command. Secrets are variables of the shell, never values."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlsplit

from api.schemas.target import TargetOut
from shared.benchmark.prompt import Parameters
from shared.protocols.registry import UnknownProtocol, protocol_named
from shared.scrubber import MASK

# Headers of the connection, or that curl writes itself.
_LEFT_OUT = {"host", "content-length", "connection", "accept-encoding", "user-agent"}
# How SDKs speak of themselves.
_OF_SDKS = "x-stainless-"
# Longer bodies fit in no command line.
MOST_BYTES = 100_000
# Names that mean nothing else to a shell.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9_-]+")


def as_curl(
    target: TargetOut,
    model: str,
    messages: Sequence[Mapping[str, str]],
    system: str | None,
    parameters: Parameters,
) -> str | None:
    """The command. `parameters`: those that the prompt is sent with.

    None if the body is too long for one, or if the target is an import's with a protocol or URL that does not exist.
    """
    place = _place(target)
    if place is None:
        return None
    adapter = protocol_named(target.protocol)
    planned = adapter(adapter.options()).body(model, messages, system, parameters)
    # What the endpoint names otherwise or adds is in the target; what the prompt decides is in the plan.
    names = {"model", "messages", "input", "system", "instructions"}
    body = {name: value for name, value in planned.items() if name in names}
    body |= {name: planned.get(name, value) for name, value in target.body.items()}
    text = json.dumps(body, ensure_ascii=False)
    if len(text.encode()) > MOST_BYTES:
        return None
    headers = {
        name: value for name, value in target.headers.items() if name not in _LEFT_OUT and not name.startswith(_OF_SDKS)
    }
    lines = [f"curl -N {_url(place, target)}"]
    lines += [f"-H {_header(name, value, target)}" for name, value in headers.items()]
    if target.tls is not None and not target.tls.verify:
        lines.append("--insecure")
    lines.append(f"-d {shlex.quote(text)}")
    return " \\\n  ".join(lines)


def _place(target: TargetOut) -> str | None:
    """The URL without its parameters. None if nothing of this version can be sent there."""
    try:
        protocol_named(target.protocol)
        parts = urlsplit(target.base_url)
    except (UnknownProtocol, ValueError):
        return None
    return f"{parts.scheme}://{parts.netloc}{target.path}"


def _url(place: str, target: TargetOut) -> str:
    """As an argument: only the values of secret parameters are left to the shell."""
    argument = shlex.quote(place)
    for number, (name, value) in enumerate(target.query.items()):
        begin = f"{'&' if number else '?'}{quote(name, safe='')}="
        if value == MASK:
            argument += f'{shlex.quote(begin)}"${_variable(name)}"'
        else:
            argument += shlex.quote(begin + quote(value, safe=""))
    return argument


def _header(name: str, value: str, target: TargetOut) -> str:
    if MASK not in value:
        return shlex.quote(f"{name}: {value}")
    own_key = name in ("authorization", "x-api-key", "api-key") and target.key_env is not None
    # The target of an import may hold anything, and the shell reads what stands in double quotes.
    variable = target.key_env if own_key and _VARIABLE.fullmatch(target.key_env or "") else _variable(name)
    begin = f"{name}: Bearer " if name == "authorization" else f"{name}: "
    return f'"{begin}${variable}"' if _HEADER.fullmatch(name) else f'{shlex.quote(begin)}"${variable}"'


def _variable(name: str) -> str:
    return re.sub(r"\W+", "_", name, flags=re.ASCII).upper().strip("_") or "SECRET"
