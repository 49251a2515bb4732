"""Every setting, read once at a program's start. The only module that reads the environment.

`.env.example` lists the same settings with their defaults; a test keeps the two equal.
"""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeGuard
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from dotenv import dotenv_values
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from shared.access_settings import AccessSettings
from shared.db.connection import postgresql_url
from shared.network.hosts import AllowedHosts, is_loopback
from shared.network.proxy import proxy_url
from shared.network.ssrf import SsrfGuard
from shared.program.otlp import TraceExporter, trace_exporter
from shared.providers.built_in import BUILT_IN, simulator_endpoints
from shared.providers.endpoints import EndpointRegistry
from shared.providers.files import read_endpoints
from shared.providers.identity import Identities
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.setting_errors import described
from shared.setting_files import UnreadableFile
from shared.setting_types import (
    DatabaseUrl,
    Days,
    EncryptionKeys,
    Endpoints,
    HostPatterns,
    HttpUrl,
    Networks,
    ProvidersFile,
    RedisUrl,
    RootPath,
    Seconds,
    split_keys,
)
from shared.webhooks.secret_box import SecretBox

ENV_FILE = ".env"
SECRETS_DIR = Path("/run/secrets")


class Settings(AccessSettings):
    """Settings of all programs. Each is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        # Docker and Kubernetes mount secrets as files, each named like its setting. The environment wins over them.
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: DatabaseUrl = Field(
        default="sqlite:///llmbench.db",
        description="Database: `sqlite:///path` or `postgresql://user:password@host/name`.",
    )
    database_pooler: Literal["none", "transaction"] = Field(
        default="none",
        description="`transaction`: DATABASE_URL leads to a pooler such as PgBouncer in transaction mode. `none`: to "
        "the database itself, or to a pooler in session mode.",
    )
    redis_url: RedisUrl = Field(
        default="redis://127.0.0.1:6379/0",
        description="Redis or Valkey, the doorbell between API and workers. Its `maxmemory-policy` must be "
        "`noeviction`.",
    )
    database_pool_size: int = Field(
        default=4,
        ge=1,
        le=200,
        description="The most database connections that one process opens. All processes together must stay below "
        "PostgreSQL's `max_connections`, which is 100 by default: 20 workers and 4 APIs open up to 96.",
    )

    providers_file: ProvidersFile | None = Field(
        default=None,
        description="YAML or JSON file with a list of named endpoints, read again when it changes (see "
        "docs/configuration.md).",
    )
    providers: Endpoints = Field(
        default=(), description="The same list as JSON, in the variable itself. Wins over the file."
    )
    simulator_url: HttpUrl | None = Field(
        default=None,
        description="URL of a simulator. It stands in for providers without a key. Ignored if its host name cannot be "
        "resolved. `llmbench up` sets it.",
    )

    root_path: RootPath = Field(
        default="",
        description="Path below which a proxy publishes the API, e.g. `/llmbench`. Links in answers begin with it.",
    )
    simulator_id: str | None = Field(
        default=None,
        max_length=100,
        description="Stands for SIMULATOR_URL where workers compare endpoints. `llmbench up` sets it: its simulator "
        "has another port at each start.",
    )
    stack_id: str | None = Field(
        default=None,
        max_length=60,
        description="Only workers with the same STACK_ID run what this API takes, and they run nothing else. `llmbench "
        "run` sets it.",
    )

    public_url: HttpUrl | None = Field(
        default=None,
        description="URL at which clients reach the API, e.g. `https://bench.example.com`. Links in webhooks begin "
        "with it.",
    )
    encryption_key: EncryptionKeys | None = Field(
        default=None,
        description="Encrypts webhook secrets in the database. API and workers need it for webhooks. `llmbench "
        "webhooks key` makes one. Of several, separated by commas, the first encrypts and all decrypt.",
    )
    allowed_private_cidrs: Networks = Field(
        default=(),
        description="Private networks that webhooks may reach, e.g. `10.0.0.0/8,fd00::/8`.",
    )

    allowed_hosts: HostPatterns = Field(
        default=(),
        description="Host names under which clients reach the API, separated by commas, e.g. "
        "`bench.example.com,*.internal`. Loopback names, IP addresses and the host of PUBLIC_URL always work. "
        "`*`: any name.",
    )
    max_body_bytes: int = Field(default=16_000_000, ge=1_000, description="Largest request body of the API, in bytes.")
    max_wait_s: float = Field(default=60, ge=0, le=600, description="Longest `Prefer: wait=` that the API honours.")

    worker_max_benchmarks: int = Field(
        default=4, ge=1, le=1_000, description="Benchmarks that one worker runs at the same time."
    )
    engine_processes: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Measuring processes of one benchmark. 0: one for each 256 of its concurrency, but one core stays "
        "free.",
    )
    calibrate_on_start: bool = Field(
        default=False,
        description="At its start, the worker finds out up to which load its host measures correctly. This takes half "
        "a minute.",
    )
    tokenizers_dir: Path | None = Field(
        default=None,
        description="Folder with `tokenizer.json` files that `workload.tokenizer` may name. Workers read them.",
    )
    worker_metrics_port: int = Field(
        default=0, ge=0, le=65_535, description="Port on which a worker serves `/metrics` for Prometheus. 0: none."
    )
    worker_health_file: Path | None = Field(
        default=None, description="File that a worker writes with each heartbeat, for a container's health check."
    )
    lease_s: Seconds = Field(
        default=30, gt=0, description="Seconds after which another worker takes over the benchmark of a silent worker."
    )
    sweep_s: Seconds = Field(
        default=5, gt=0, description="Seconds between two sweeps, in which a worker looks for forgotten benchmarks."
    )
    shutdown_grace_s: Seconds = Field(
        default=25, ge=0, description="Seconds that requests in flight have to finish after SIGTERM."
    )
    max_crashes: int = Field(
        default=5, ge=1, description="After this many crashes of its workers, a benchmark fails with `crash_loop`."
    )
    unclaimed_after_s: Seconds = Field(
        default=900, gt=0, description="After this many seconds without a worker that can run it, a benchmark fails."
    )
    timeline_max_requests: int = Field(
        default=1_000, ge=0, description="Event timelines are stored for runs of up to this many requests or results."
    )

    retention_days: Days | None = Field(
        default=None,
        gt=0,
        description="Benchmarks that ended more than this many days ago are deleted. Not set: they are kept for ever.",
    )
    text_retention_days: Days | None = Field(
        default=None,
        gt=0,
        description="All texts that callers sent or models answered are deleted from benchmarks that ended more than "
        "this many days ago; the numbers stay. Not set: texts stay too.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json`: one JSON object per line. `console`: text for people."
    )

    @model_validator(mode="after")
    def _lease_outlives_sweep(self) -> "Settings":
        if self.sweep_s >= self.lease_s:
            raise ValueError("SWEEP_S must be smaller than LEASE_S")
        return self

    @property
    def transaction_pooling(self) -> bool:
        """Whether each transaction may be on another server connection, by DATABASE_POOLER or by the URL."""
        by_url = (
            self.database_url.startswith("postgres") and postgresql_url.parse(self.database_url).transaction_pooling
        )
        return by_url or self.database_pooler == "transaction"

    def hosts(self) -> AllowedHosts:
        """The host names that the API answers to."""
        return AllowedHosts(self.allowed_hosts, self.public_url)

    def secret_box(self) -> SecretBox:
        """Opens and seals webhook secrets."""
        return SecretBox(split_keys(self.encryption_key))

    def ssrf_guard(self) -> SsrfGuard:
        """Guards requests to URLs that callers give."""
        return SsrfGuard(self.allowed_private_cidrs)

    def proxy_for(self, url: str) -> str | None:
        """The proxy for this URL, from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. None for this machine.

        Raises UnusableProxy.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host) or proxy_bypass(parts.netloc):
            return None
        proxies = getproxies_environment()
        named = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
        return None if named is None else proxy_url(proxies[named], f"{named.upper()}_PROXY")

    def endpoints(self, price_list: PriceList) -> EndpointRegistry:
        """Built-in endpoints, then those of the file, of the variable, of the simulator. The last of a name wins."""
        from_file = read_endpoints(self.providers_file) if self.providers_file else ()
        simulated = simulator_endpoints(self.simulator_url) if _leads_somewhere(self.simulator_url) else ()
        return EndpointRegistry(BUILT_IN, price_list, of_file=from_file, over_file=[*self.providers, *simulated])

    def identities(self) -> Identities:
        """Makes the identities of these endpoints."""
        simulator = (
            None if self.simulator_url is None or not self.simulator_id else (self.simulator_url, self.simulator_id)
        )
        return Identities(stack=self.stack_id, known_as=simulator)


def _leads_somewhere(url: str | None) -> TypeGuard[str]:
    """Whether the host name resolves. Compose always names a simulator, but starts it only in the demo profile."""
    if url is None:
        return False
    try:
        return bool(socket.getaddrinfo(urlsplit(url).hostname, None))
    except OSError:
        return False


def load_settings(**overrides: Any) -> Settings:
    """The process's settings. Raises SystemExit with one line per wrong variable."""
    try:
        return Settings(**overrides)
    except ValidationError as exc:
        raise SystemExit(described(exc)) from None
    except UnreadableFile as exc:
        raise SystemExit(f"wrong settings:\n  {exc}") from None


def load_key_ring() -> KeyRing:
    """Provider keys from the environment, from `.env` and from `/run/secrets`. The first of them wins."""
    return KeyRing({**dotenv_values(ENV_FILE), **os.environ}, SECRETS_DIR)


def load_trace_exporter() -> TraceExporter:
    """Where this process sends its spans. Raises SystemExit for a wrong `OTEL_` variable."""
    return trace_exporter(ENV_FILE, os.environ)


def server_environment() -> dict[str, str]:
    """The variables that Uvicorn reads, such as `UVICORN_HOST`."""
    return {name: value for name, value in os.environ.items() if name.startswith("UVICORN_")}


def replace_environment(environment: Mapping[str, str]) -> None:
    """For a program that gets its settings after its start. Call this before anything loads settings."""
    os.environ.clear()
    os.environ.update(environment)


def process_environment(**changes: str) -> dict[str, str]:
    """This process's environment with changes, for child programs."""
    return {**os.environ, **changes}
