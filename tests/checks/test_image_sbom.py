"""The SBOM that an image carries holds its Python packages, the interpreter and the packages of its base."""

import json
import platform
import re
from pathlib import Path

import pytest

from checks.image_sbom import main

ROOT = Path(__file__).parents[2]
INSTALLED = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"tools": {}},
    "components": [
        {"bom-ref": "llmbench==1.2", "name": "llmbench", "type": "library", "version": "1.2"},
        {"bom-ref": "numpy==2.4", "name": "numpy", "type": "library", "version": "2.4"},
    ],
    "dependencies": [{"ref": "llmbench==1.2", "dependsOn": ["numpy==2.4"]}, {"ref": "numpy==2.4"}],
}
DEBIAN = ["libc6 2.41-12 amd64", "base-files 1:13.8+deb13u1 amd64"]


def sbom(folder: Path, packages: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    (folder / "sbom").write_text(json.dumps(INSTALLED))
    (folder / "packages").write_text("\n".join([*packages, ""]))
    assert main(["llmbench-api", "1.2", str(folder / "sbom"), str(folder / "packages")]) == 0
    return capsys.readouterr().out


def test_it_holds_all_and_each_reference_leads_somewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(sbom(tmp_path, DEBIAN, capsys))
    image = document["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == ("container", "llmbench-api", "1.2")
    assert {item["name"] for item in document["components"]} == {"llmbench", "numpy", "python", "libc6", "base-files"}
    (python,) = (item for item in document["components"] if item["name"] == "python")
    assert python["version"] == platform.python_version()
    assert "pkg:deb/debian/base-files@1%3A13.8%2Bdeb13u1?arch=amd64" in {
        item.get("purl") for item in document["components"]
    }
    known = {image["bom-ref"], *(item["bom-ref"] for item in document["components"])}
    assert {item["ref"] for item in document["dependencies"]} == known
    assert all(set(item.get("dependsOn", [])) <= known for item in document["dependencies"])


def test_the_order_of_the_packages_does_not_matter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom(tmp_path, DEBIAN, capsys) == sbom(tmp_path, DEBIAN[::-1], capsys)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_each_dockerfile_writes_it_from_what_it_installed_and_says_where_it_is(name: str) -> None:
    text = (ROOT / f"Dockerfile.{name}").read_text()
    (build,) = re.findall(r"^RUN /opt/build/bin/hatchling build .*?(?<!\\)\n", text, re.MULTILINE | re.DOTALL)
    steps = [step.strip(" \\\n") for step in build.split("&&")]
    begin = [step.split()[0] for step in steps]
    assert begin.index("/opt/build/bin/pip") < begin.index("PYTHONDONTWRITEBYTECODE=1") < begin.index("mv")
    (written,) = re.findall(rf"image_sbom\.py llmbench-{name} .* >(\S+)", build)
    (label,) = re.findall(r'io\.llmbench\.sbom="(.+)"', text)
    assert written == label
    # The folder that the image gets.
    assert written.startswith("/opt/llmbench/")
    assert "checks/image_sbom.py" in (ROOT / ".dockerignore").read_text()
