"""What the text of a setting may be. Each type raises ValueError that says what is wrong. For `shared.settings`."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, SecretStr
from pydantic_settings import NoDecode

from shared.access.trusted_users import TrustedUsers, parse_users
from shared.db.connection import postgresql_url
from shared.network import http_url, path_prefix
from shared.network.hosts import check_pattern
from shared.network.ssrf import Network, networks
from shared.providers.endpoints import Endpoint
from shared.providers.files import parse_endpoints, read_endpoints
from shared.queue import redis_url
from shared.webhooks.secret_box import SecretBox

# Of each secret in SECRET_KEY.
MIN_SECRET_CHARS = 32

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_OTHER_HEADERS = {
    "authorization", "connection", "content-length", "content-type", "cookie", "host", "origin", "sec-fetch-site",
    "transfer-encoding", "x-csrf-token", "x-forwarded-for", "x-forwarded-prefix", "x-forwarded-proto",
}  # fmt: skip


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:", "sqlite+aiosqlite:", "postgresql:", "postgresql+asyncpg:", "postgres:")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    if value.startswith("postgres"):
        postgresql_url.parse(value)
    if value.partition("://")[2] in ("", "/", "/:memory:") and value.startswith("sqlite"):
        raise ValueError("must name a file: API and workers share it")
    return value


def _redis_url(value: str) -> str:
    redis_url.check(value)
    return value


def _http_url(value: str) -> str:
    return http_url.check(value)


def _usable_keys(value: SecretStr) -> SecretStr:
    try:
        SecretBox(split_keys(value))
    except ValueError:
        raise ValueError("is not a key: `llmbench webhooks key` makes one") from None
    return value


def _long_secrets(value: SecretStr) -> SecretStr:
    parts = split_keys(value)
    # Spaces or a comma alone are a mistake too: keys would be hashed without any pepper.
    if (value.get_secret_value() and not parts) or any(len(part) < MIN_SECRET_CHARS for part in parts):
        raise ValueError(f"must have {MIN_SECRET_CHARS} characters or more: `openssl rand -hex 32` makes them")
    return value


def _networks(value: Any) -> Any:
    return networks(value) if isinstance(value, str) else value


def _patterns(value: Any) -> Any:
    return tuple(check_pattern(part) for part in _parts(value)) if isinstance(value, str) else value


def _endpoints(value: Any) -> Any:
    return parse_endpoints(value) if isinstance(value, str) else value


def _readable(value: Path) -> Path:
    read_endpoints(value)
    return value


def _user_header(value: str) -> str:
    if not _HEADER.fullmatch(value) or value.lower() in _OTHER_HEADERS:
        raise ValueError("must be the name of a header that has no other meaning, such as X-Forwarded-Email")
    return value


def _users(value: Any) -> Any:
    return parse_users(value) if isinstance(value, str) else value


def split_keys(keys: SecretStr | None) -> list[str]:
    """The keys, newest first; empty without any."""
    return _parts(keys.get_secret_value()) if keys is not None else []


def _parts(text: str) -> list[str]:
    """The parts of a text between commas, without spaces and empty ones."""
    return [part for part in (item.strip() for item in text.split(",")) if part]


# At most a century: infinity, and what no clock or database can count to, ends a program later.
Seconds = Annotated[float, Field(le=3_155_760_000)]
Days = Annotated[float, Field(le=36_525)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
RootPath = Annotated[str, AfterValidator(path_prefix.check)]
EncryptionKeys = Annotated[SecretStr, AfterValidator(_usable_keys)]
SecretKeys = Annotated[SecretStr, AfterValidator(_long_secrets)]
ProvidersFile = Annotated[Path, AfterValidator(_readable)]
# Lists, written as text with commas or as JSON.
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
HostPatterns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_patterns)]
Endpoints = Annotated[tuple[Endpoint, ...], NoDecode, BeforeValidator(_endpoints)]
UserHeader = Annotated[str, AfterValidator(_user_header)]
# JSON.
Users = Annotated[InstanceOf[TrustedUsers], NoDecode, BeforeValidator(_users)]
