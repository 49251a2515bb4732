"""The API program."""

import json

import pytest

from shared.providers.key_ring import KeyRing
from tests.support.imports import loaded_by
from tests.support.service import make_settings, running_api


def test_it_starts_without_what_takes_long_to_import() -> None:
    """No request of a starting API needs them at once, and together they would take half of its start."""
    assert not {"anthropic", "openai", "genai_prices", "alembic", "numpy", "opentelemetry.sdk", "pyarrow"} & loaded_by(
        "api.main"
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_its_start_names_the_parameters_of_the_database_without_effect_once(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{database_url}?sslmode=prefer&channel_binding=require&keepalives_idle=30"
    settings = make_settings(url, redis_url, None, database_pooler="transaction")
    async with running_api(settings, KeyRing({})) as client:
        assert (await client.get("/benchmarks")).status_code == 200
    lines = [line for line in capsys.readouterr().err.splitlines() if "database_url_parameters_ignored" in line]
    assert [json.loads(line)["parameters"] for line in lines] == [["channel_binding", "keepalives_idle"]]
