"""The SBOM of an image: `python -m checks.image_sbom NAME VERSION SBOM PACKAGES`, for `deploy/release`.

SBOM is that of the locked packages (CycloneDX, JSON), PACKAGES what `dpkg-query` in the image says: `name version
architecture` a line. Prints an SBOM with both. The same input gives the same bytes.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


def image_sbom(name: str, version: str, sbom: Json, packages: Sequence[str]) -> Json:
    """`sbom` with the image as what it describes, and the Debian packages of its base beside the Python packages."""
    root = {"type": "container", "bom-ref": f"{name}:{version}", "name": name, "version": version}
    program = sbom["metadata"]["component"]
    debian = [_component(line) for line in sorted(packages) if line.strip()]
    contained = [program["bom-ref"], *(item["bom-ref"] for item in debian)]
    return {
        **sbom,
        "metadata": {**sbom["metadata"], "component": root},
        "components": [program, *sbom["components"], *debian],
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": sorted(contained)},
            *sbom["dependencies"],
            *({"ref": item["bom-ref"]} for item in debian),
        ],
    }


def _component(line: str) -> Json:
    name, version, architecture = line.split()
    purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main(arguments: Sequence[str]) -> int:
    name, version, sbom, packages = arguments
    lines = Path(packages).read_text(encoding="utf-8").splitlines()
    document = image_sbom(name, version, json.loads(Path(sbom).read_text(encoding="utf-8")), lines)
    sys.stdout.write(json.dumps(document, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
