"""`deploy/pin` writes digests where builds, compose and kustomize read them, and nothing if no registry answers."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.programs.tools import tool

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a1' * 32}"
IMAGES = ("python:3.13-slim", "postgres:17", "redis:8")
NAMES = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the script reads and writes."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("kubernetes-pinned"))
    return tmp_path


def pin(project: Path, *images: str, registry: str | None = f"echo {DIGEST}") -> subprocess.CompletedProcess[str]:
    """Runs it with a `docker` in the place of a registry's client."""
    programs = project / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("docker", "skopeo", "crane"):
        (programs / name).write_text(f"#!/bin/sh\n{registry if registry and name == 'docker' else 'exit 1'}\n")
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    command = [project / "deploy/pin", *images]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_base_images_go_into_the_env_file_and_leave_the_rest_of_it(project: Path) -> None:
    (project / ".env").write_text("POSTGRES_PASSWORD=x\nREDIS_IMAGE=redis:8@sha256:old\n")
    (project / ".env").chmod(0o600)
    done = pin(project)
    assert done.returncode == 0, done.stderr
    pinned = [f"{name}={image}@{DIGEST}" for name, image in zip(NAMES, IMAGES, strict=True)]
    assert (project / ".env").read_text().splitlines() == ["POSTGRES_PASSWORD=x", *pinned]
    assert (project / ".env").stat().st_mode & 0o777 == 0o600


def test_compose_and_dockerfiles_take_them_from_there() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for name, image in zip(NAMES, IMAGES, strict=True):
        assert f"${{{name}:-{image}}}" in compose
    for file in ("Dockerfile.api", "Dockerfile.worker"):
        text = (ROOT / file).read_text()
        assert "ARG PYTHON_IMAGE=python:3.13-slim\n" in text
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_without_a_registry_nothing_changes(project: Path) -> None:
    done = pin(project, registry=None)
    assert (done.returncode, "no registry tells the digest of python:3.13-slim" in done.stderr) == (1, True)
    assert not (project / ".env").exists()
    assert pin(project, "registry.example/llmbench-api:1", registry=None).returncode == 1
    assert not (project / "deploy/kubernetes-pinned").exists()
    # Something that is no digest is none.
    assert pin(project, registry="echo latest").returncode == 1


def test_our_own_images_go_into_a_kustomization(project: Path) -> None:
    done = pin(project, "registry.example:5000/team/llmbench-api:1.2", "registry.example:5000/team/llmbench-worker:1.2")
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((project / "deploy/kubernetes-pinned/kustomization.yaml").read_text())
    assert [(item["name"], item["digest"]) for item in written["images"]] == [
        ("llmbench-api", DIGEST),
        ("llmbench-worker", DIGEST),
    ]
    assert written["images"][0]["newName"] == "registry.example:5000/team/llmbench-api"


@pytest.mark.skipif(tool("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_every_folder_and_puts_the_digest_into_every_pod(project: Path) -> None:
    pin(project, "registry.example/llmbench-api:1.2", "registry.example/llmbench-worker:1.2")
    for folder in sorted(path.parent for path in (project / "deploy").rglob("kustomization.yaml")):
        built = subprocess.run([str(tool("kubectl")), "kustomize", folder], capture_output=True, text=True, check=True)
        documents = list(yaml.safe_load_all(built.stdout))
        assert documents
        if folder.name == "kubernetes-pinned":
            images = set(re.findall(r"image: (\S+)", built.stdout))
            assert images == {f"registry.example/llmbench-{name}@{DIGEST}" for name in ("api", "worker")}
            assert {item["kind"] for item in documents} >= {"ConfigMap", "Deployment", "NetworkPolicy", "Namespace"}
