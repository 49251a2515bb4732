"""Refuses to open a stack without keys to others, before anything of it starts. For `llmbench up --host`."""

from pathlib import Path

from cli.database import has_keys, shown
from cli.exits import usage
from cli.stack import environment
from shared.network.bound import NoKeys, bound_to_host
from shared.settings import load_settings


def check_binding(host: str, data_dir: Path) -> None:
    """Raises CliError if others can reach the address and the database has no key."""
    settings = load_settings()
    url = settings.database_url if "database_url" in settings.model_fields_set else environment.sqlite_url(data_dir)
    if has_keys(url):
        return
    try:
        bound_to_host(host, settings.published_on).require_keys()
    except NoKeys as exc:
        raise usage(f"not started: {exc.message}", (f"The database is {shown(url)}",)) from None
