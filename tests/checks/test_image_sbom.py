"""The SBOM of an image holds the Python packages and those of its base."""

import json
from pathlib import Path

import pytest

from checks.image_sbom import main

PYTHON = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"component": {"bom-ref": "root-component", "name": "llmbench", "type": "application"}},
    "components": [{"bom-ref": "numpy==2.4", "name": "numpy", "type": "library", "version": "2.4"}],
    "dependencies": [{"ref": "root-component", "dependsOn": ["numpy==2.4"]}, {"ref": "numpy==2.4"}],
}
DEBIAN = ["libc6 2.41-12 amd64", "base-files 1:13.8+deb13u1 amd64"]


def sbom(folder: Path, packages: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    (folder / "sbom").write_text(json.dumps(PYTHON))
    (folder / "packages").write_text("\n".join([*packages, ""]))
    assert main(["llmbench-api", "1.2", str(folder / "sbom"), str(folder / "packages")]) == 0
    return capsys.readouterr().out


def test_it_holds_both_and_each_reference_leads_somewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(sbom(tmp_path, DEBIAN, capsys))
    image = document["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == ("container", "llmbench-api", "1.2")
    assert {item["name"] for item in document["components"]} == {"llmbench", "numpy", "libc6", "base-files"}
    assert "pkg:deb/debian/base-files@1%3A13.8%2Bdeb13u1?arch=amd64" in {
        item.get("purl") for item in document["components"]
    }
    known = {image["bom-ref"], *(item["bom-ref"] for item in document["components"])}
    assert {item["ref"] for item in document["dependencies"]} == known
    assert all(set(item.get("dependsOn", [])) <= known for item in document["dependencies"])


def test_the_order_of_the_packages_does_not_matter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom(tmp_path, DEBIAN, capsys) == sbom(tmp_path, DEBIAN[::-1], capsys)
