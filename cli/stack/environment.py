"""What the stack's programs find in their environment, and which parts somebody else provides."""

from dataclasses import dataclass
from pathlib import Path

from shared.endpoints import BUILT_IN
from shared.settings import Settings, load_settings, process_environment


@dataclass(frozen=True, slots=True)
class Parts:
    """Addresses that were set from outside (None: embedded), and what the worker's end may take."""

    database_url: str | None
    redis_url: str | None
    simulator_url: str | None
    shutdown_grace_s: float
    environment: dict[str, str]


def parts(*, isolated: bool) -> Parts:
    """From the environment and `.env`; isolated: as if neither were there."""
    everything = process_environment()
    if isolated:
        defaults = Settings.model_construct()
        return Parts(None, None, None, defaults.shutdown_grace_s, _without(everything, _names()))
    settings = load_settings()
    given = settings.model_fields_set
    if "log_format" not in given:
        # These logs are read by a person.
        everything["LOG_FORMAT"] = "console"
    return Parts(
        settings.database_url if "database_url" in given else None,
        settings.redis_url if "redis_url" in given else None,
        settings.simulator_url if "simulator_url" in given else None,
        settings.shutdown_grace_s,
        everything,
    )


def without_keys(environment: dict[str, str]) -> dict[str, str]:
    """For programs that call no provider."""
    return _without(environment, _key_names())


def sqlite_url(folder: Path) -> str:
    """The default database, in a folder."""
    default: str = Settings.model_fields["database_url"].default
    name = default.removeprefix("sqlite:///")
    return default if folder == Path() else f"sqlite:///{folder.resolve() / name}"


def _names() -> set[str]:
    return {name.upper() for name in Settings.model_fields} | _key_names()


def _key_names() -> set[str]:
    keys = [endpoint.api_key_env for endpoint in BUILT_IN if endpoint.api_key_env]
    return {*keys, *(f"{key}_FILE" for key in keys)}


def _without(environment: dict[str, str], names: set[str]) -> dict[str, str]:
    # Settings are read whatever the case of the variable.
    return {name: value for name, value in environment.items() if name.upper() not in names}
