"""Brings a database to the newest schema. For the CLI and the tests; `check` only looks at it."""

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from shared.db.schema.check import newer
from shared.db.schema.revision import MIGRATIONS


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file, so that it works from an installed wheel."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Blocking; opens its own connection. Raises Unavailable if the schema is newer than this program."""
    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as exc:
        if isinstance(exc.__cause__, ResolutionError):
            raise newer(exc.__cause__.argument) from None
        raise


def downgrade(url: str, revision: str) -> None:
    """Blocking; opens its own connection."""
    command.downgrade(alembic_config(url), revision)
