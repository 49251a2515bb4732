"""The environment of the stack's programs, and which parts the user provides."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.providers.built_in import BUILT_IN
from shared.settings import Settings, load_settings, process_environment
from shared.webhooks.secret_box import new_key

KEY_FILE = "llmbench.key"
LOOPBACK = "127.0.0.0/8,::1/128"


@dataclass(frozen=True, slots=True)
class Parts:
    """Settings of the stack. An address is None if the stack starts that part itself.

    `webhooks_reach` says in words where webhooks may go besides public addresses. `environment` is for API and workers.
    """

    database_url: str | None
    redis_url: str | None
    simulator_url: str | None
    shutdown_grace_s: float
    has_encryption_key: bool
    webhooks_reach: str
    environment: dict[str, str]


def parts(*, isolated: bool) -> Parts:
    """The parts as the environment and `.env` set them. `isolated` ignores settings and keys in both."""
    everything = process_environment()
    if isolated:
        defaults = Settings.model_construct()
        alone = _without(everything, _names()) | {"ALLOWED_PRIVATE_CIDRS": LOOPBACK}
        return Parts(None, None, None, defaults.shutdown_grace_s, False, "", alone)
    settings = load_settings()
    given = settings.model_fields_set
    reach = ", ".join(map(str, settings.allowed_private_cidrs)) or "public addresses only"
    if "allowed_private_cidrs" not in given:
        # People try out webhooks with a receiver on this machine.
        everything["ALLOWED_PRIVATE_CIDRS"] = LOOPBACK
        reach = "this machine too (ALLOWED_PRIVATE_CIDRS)"
    if "log_format" not in given:
        # People read these logs.
        everything["LOG_FORMAT"] = "console"
    return Parts(
        settings.database_url if "database_url" in given else None,
        settings.redis_url if "redis_url" in given else None,
        settings.simulator_url if "simulator_url" in given else None,
        settings.shutdown_grace_s,
        settings.encryption_key is not None,
        reach,
        everything,
    )


def without_keys(environment: dict[str, str]) -> dict[str, str]:
    """The environment without provider keys, for programs that call no provider."""
    return _without(environment, _key_names())


def sqlite_url(folder: Path) -> str:
    """The URL of the default database in a folder."""
    default: str = Settings.model_fields["database_url"].default
    name = default.removeprefix("sqlite:///")
    return default if folder == Path() else f"sqlite:///{folder.resolve() / name}"


def encryption_key(folder: Path) -> str:
    """The key that encrypts webhook secrets in a folder's database. It is made if there is none."""
    path = folder / KEY_FILE
    if not path.exists():
        # Made whole under another name: a program that starts at the same moment must not read an empty file.
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{KEY_FILE}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(new_key() + "\n")
            try:
                os.link(name, path)
            except FileExistsError:
                pass
            except OSError:
                # A file system without hard links.
                os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    return path.read_text(encoding="utf-8").strip()


def _names() -> set[str]:
    settings = {name.upper() for name in Settings.model_fields}
    return settings | {f"{name}_FILE" for name in settings} | _key_names()


def _key_names() -> set[str]:
    keys = [endpoint.api_key_env for endpoint in BUILT_IN if endpoint.api_key_env]
    return {*keys, *(f"{key}_FILE" for key in keys)}


def _without(environment: dict[str, str], names: set[str]) -> dict[str, str]:
    # The case of a variable's name does not matter to settings.
    return {name: value for name, value in environment.items() if name.upper() not in names}
