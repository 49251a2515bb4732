"""The API program."""

from tests.support.imports import loaded_by


def test_it_starts_without_what_takes_long_to_import() -> None:
    """No request of a starting API needs them at once, and together they would take half of its start."""
    assert not {"anthropic", "openai", "genai_prices", "alembic", "numpy", "opentelemetry.sdk"} & loaded_by("api.main")
