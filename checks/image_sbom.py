"""The SBOM that an image carries: `python checks/image_sbom.py NAME VERSION SBOM PACKAGES`, for the Dockerfiles.

SBOM is what `cyclonedx-py environment` says of the image's environment (CycloneDX, JSON), PACKAGES what `dpkg-query`
says of its base: `name version architecture` a line. The interpreter is the one that runs this. Prints an SBOM with all
of them. The same input gives the same bytes.
"""

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

PROGRAM = "llmbench"
Json = dict[str, Any]


def image_sbom(name: str, version: str, sbom: Json, packages: Sequence[str], python: str) -> Json:
    """`sbom` with the image as what it describes, and the interpreter and the Debian packages beside it."""
    root = {"type": "container", "bom-ref": f"{name}:{version}", "name": name, "version": version}
    (program,) = (item for item in sbom["components"] if item["name"] == PROGRAM)
    interpreter = {
        "type": "application",
        "bom-ref": f"pkg:generic/python@{python}",
        "name": "python",
        "version": python,
        "purl": f"pkg:generic/python@{python}",
    }
    base = [interpreter, *(_component(line) for line in sorted(packages) if line.strip())]
    contained = [program["bom-ref"], *(item["bom-ref"] for item in base)]
    return {
        **sbom,
        "metadata": {**sbom["metadata"], "component": root},
        "components": [*sbom["components"], *base],
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": sorted(contained)},
            *sbom["dependencies"],
            *({"ref": item["bom-ref"]} for item in base),
        ],
    }


def _component(line: str) -> Json:
    name, version, architecture = line.split()
    purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main(arguments: Sequence[str]) -> int:
    name, version, sbom, packages = arguments
    lines = Path(packages).read_text(encoding="utf-8").splitlines()
    installed = json.loads(Path(sbom).read_text(encoding="utf-8"))
    document = image_sbom(name, version, installed, lines, platform.python_version())
    sys.stdout.write(json.dumps(document, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
