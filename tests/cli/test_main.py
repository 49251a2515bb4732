"""The `llmbench` program."""

from tests.support.imports import loaded_by

HEAVY = {"pydantic", "sqlalchemy", "alembic", "rich", "httpx2", "asyncio", "shared.settings"}


def test_help_is_there_before_anything_heavy_is_imported() -> None:
    assert not HEAVY & loaded_by("cli.main")


def test_the_stack_starts_its_programs_before_it_reads_the_settings() -> None:
    """They take longest, and import while the stack prepares all else."""
    assert not HEAVY & loaded_by("cli.stack")
