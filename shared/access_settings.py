"""The settings of access: who may reach the API, and how its keys are kept. `shared.settings.Settings` has them."""

from typing import Literal

from pydantic import Field, model_validator

from shared.access.api_key import Hasher
from shared.access.trusted_users import TrustedUsers
from shared.setting_files import FileSettings
from shared.setting_types import Networks, SecretKeys, UserHeader, Users, split_keys


class AccessSettings(FileSettings):
    """Part of `Settings`, which reads the environment."""

    secret_key: SecretKeys | None = Field(
        default=None,
        description="Pepper of the hashes of API keys: a copy of the database does not show what is a key. The same "
        "for all API processes. `openssl rand -hex 32` makes one. Of several, separated by commas, the first hashes "
        "new keys, and keys of all are valid.",
    )
    published_on: str | None = Field(
        default=None,
        max_length=255,
        description="Address under which others reach the API, where the API cannot see it: in a container it always "
        "listens on 0.0.0.0. Compose sets it. Not loopback: the API starts only if there is a key.",
    )
    metrics_access: Literal["open", "key"] = Field(
        default="open", description="`key`: `/metrics` needs an API key once there are keys. `open`: it needs none."
    )
    session_idle_hours: float = Field(
        default=12, gt=0, le=8_760, description="A browser that logged in and was not used for so long is logged out."
    )
    session_max_days: float = Field(
        default=7, gt=0, le=365, description="A browser that logged in is logged out after so many days."
    )
    rate_limit_per_minute: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="Requests that an API key may make in a minute, unless the key has a number of its own. 0: any "
        "number.",
    )
    concurrent_requests: int = Field(
        default=32,
        ge=0,
        le=100_000,
        description="Requests that an API key may have in progress at the same time, live streams and downloads "
        "included, unless the key has a number of its own. 0: any number.",
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Addresses of proxies whose `X-Forwarded-Prefix`, `X-Forwarded-Proto` and, at the login, "
        "`X-Forwarded-For` count, e.g. `10.0.0.0/8,127.0.0.1`. The headers of all others are ignored.",
    )
    trusted_user_header: UserHeader | None = Field(
        default=None,
        description="Header in which proxies of TRUSTED_PROXIES name the person whom they logged in, e.g. "
        "`X-Forwarded-Email`. It is taken out of requests of all others.",
    )
    trusted_users: Users = Field(
        default=TrustedUsers(),
        description="Who may log in to the pages by that name, with which key: JSON of names, `*@domain` or `*`, and "
        'the id of a key for each, e.g. `{"*@example.com": "ab12cd34"}`.',
    )

    @model_validator(mode="after")
    def _users_come_from_trusted_proxies(self) -> "AccessSettings":
        if self.trusted_user_header is not None and not self.trusted_proxies:
            raise ValueError("TRUSTED_USER_HEADER needs TRUSTED_PROXIES: the header of all others is ignored")
        if self.trusted_user_header is None and self.trusted_users != TrustedUsers():
            raise ValueError("TRUSTED_USERS needs TRUSTED_USER_HEADER")
        return self

    def key_hasher(self) -> Hasher:
        """Hashes the secrets of API keys."""
        return Hasher(split_keys(self.secret_key))
