"""Secrets as files: `deploy/secrets` makes them, deploy/compose.secrets.yaml hands them to the containers."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from shared.providers.built_in import BUILT_IN
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
PROVIDER_KEYS = {endpoint.api_key_env for endpoint in BUILT_IN if endpoint.api_key_env}
# What someone who does not use files has in `.env`.
CANARY = "canary-0123456789abcdef"
SECRET_NAMES = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "ENCRYPTION_KEY", "SECRET_KEY", *sorted(PROVIDER_KEYS))
OF_SERVICES = {
    "api": {"DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY", "SECRET_KEY"},
    "worker": {"DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY"},
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
}
Json = dict[str, Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/secrets", tmp_path / "deploy/secrets")
    return tmp_path


def secrets(project: Path, *arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    left = {name: value for name, value in os.environ.items() if name not in (*SECRET_NAMES, "SECRETS_DIR")}
    return subprocess.run(
        [project / "deploy/secrets", *arguments],
        env={**left, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def files(project: Path) -> dict[str, dict[str, str]]:
    folders = sorted((project / "secrets").iterdir())
    return {folder.name: {file.name: file.read_text().strip() for file in folder.iterdir()} for folder in folders}


def test_every_service_gets_what_it_needs_and_nothing_else(project: Path) -> None:
    done = secrets(project)
    assert done.returncode == 0, done.stderr
    made = files(project)
    assert {service: set(found) for service, found in made.items()} == OF_SERVICES
    for name in ("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY"):
        assert made["api"][name] == made["worker"][name]
    assert f":{made['postgres']['POSTGRES_PASSWORD']}@postgres/" in made["api"]["DATABASE_URL"]
    assert f":{made['redis']['REDIS_PASSWORD']}@redis:" in made["api"]["REDIS_URL"]
    Fernet(made["api"]["ENCRYPTION_KEY"])
    for value in (value for found in made.values() for value in found.values()):
        assert value not in done.stdout + done.stderr


def test_programs_read_them(project: Path) -> None:
    secrets(project)
    found = Settings(_env_file=None, _secrets_dir=project / "secrets/api")  # type: ignore[call-arg]
    made = files(project)["api"]
    assert found.database_url == made["DATABASE_URL"]
    assert found.redis_url == made["REDIS_URL"]
    assert found.secret_box().open(found.secret_box().seal("x")) == "x"


def test_nobody_else_of_the_host_can_enter_and_the_users_of_containers_can_read(project: Path) -> None:
    secrets(project)
    folder = project / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    for inner in folder.iterdir():
        assert inner.stat().st_mode & 0o777 == 0o755
        assert {file.stat().st_mode & 0o777 for file in inner.iterdir()} == {0o644}


def test_what_is_there_stays_and_what_is_missing_is_added(project: Path) -> None:
    secrets(project)
    before = files(project)
    (project / "secrets/worker/ENCRYPTION_KEY").unlink()
    assert secrets(project).returncode == 0
    assert files(project) == before


def test_passwords_that_are_in_use_are_taken_over(project: Path) -> None:
    """Those of a database that exists cannot be made anew."""
    (project / ".env").write_text('POSTGRES_PASSWORD="of-the-file"\nLOG_LEVEL=INFO\nREDIS_PASSWORD=\n')
    done = secrets(project, ENCRYPTION_KEY="of-the-environment")
    made = files(project)
    assert made["postgres"]["POSTGRES_PASSWORD"] == "of-the-file"
    assert made["worker"]["ENCRYPTION_KEY"] == "of-the-environment"
    assert re.fullmatch("[0-9a-f]{48}", made["redis"]["REDIS_PASSWORD"])
    assert done.stderr.split(": ")[-1].split() == ["POSTGRES_PASSWORD"]


@pytest.mark.parametrize("given", ["sk-ant-1\n", "sk-ant-1"])
def test_the_key_of_a_provider_goes_to_the_workers_alone(project: Path, given: str) -> None:
    secrets(project)
    assert secrets(project, "ANTHROPIC_API_KEY", given="before\n").returncode == 0
    done = secrets(project, "ANTHROPIC_API_KEY", given=given)
    assert done.returncode == 0
    assert "sk-ant-1" not in done.stdout + done.stderr
    made = files(project)
    assert made["worker"].pop("ANTHROPIC_API_KEY") == "sk-ant-1"
    assert {service: set(found) for service, found in made.items()} == OF_SERVICES


@pytest.mark.parametrize("name", ["../api/X", "A B", "-h", "1"])
def test_a_wrong_name_is_refused(project: Path, name: str) -> None:
    assert secrets(project, name, given="x").returncode == 2


def test_nothing_for_a_name_is_an_error(project: Path) -> None:
    done = secrets(project, "ANTHROPIC_API_KEY")
    assert (done.returncode, done.stderr) == (1, "secrets: nothing was given for ANTHROPIC_API_KEY\n")


def merged() -> dict[str, Json]:
    """Services of both files, as Compose merges what stands in both: maps by key, lists one after the other."""
    below, above = (
        yaml.safe_load((ROOT / name).read_text())["services"]
        for name in ("docker-compose.yml", "deploy/compose.secrets.yaml")
    )
    assert set(above) <= set(below)
    for name, changes in above.items():
        for key, value in changes.items():
            before = below[name].get(key)
            below[name][key] = {**before, **value} if isinstance(value, dict) else [*(before or []), *value]
    return dict(below)


def interpolated(text: str) -> str:
    """Every variable that holds a secret is the canary; the others have their defaults."""
    text = re.sub(rf"\$\{{({'|'.join(SECRET_NAMES)})(:?-[^}}]*)?\}}", CANARY, text)
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)


def test_no_container_has_a_secret_in_its_environment_or_its_command() -> None:
    plain = (ROOT / "docker-compose.yml").read_text()
    assert CANARY in interpolated(plain)
    services = yaml.safe_load(interpolated(yaml.safe_dump(merged())))
    for name, service in services.items():
        assert CANARY not in str(service), name
        # The defaults of the passwords.
        assert "://llmbench:" not in str(service.get("environment")), name


def test_each_container_has_the_files_in_place_of_them() -> None:
    services = yaml.safe_load(interpolated(yaml.safe_dump(merged())))
    for name, folder in {**{name: name for name in OF_SERVICES}, "migrate": "api"}.items():
        (mount,) = (item for item in services[name]["volumes"] if "/run/secrets" in str(item))
        assert mount["source"] == f"./secrets/{folder}"
        assert mount["read_only"] is True
        assert mount["bind"] == {"create_host_path": False}
    for password in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"/run/secrets/{password}" in str(services)
    environment = services["worker"]["environment"]
    assert {environment[name] for name in PROVIDER_KEYS} == {""}
