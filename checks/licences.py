"""Whether all packages of the programs have a licence that we may pass on: `python -m checks.licences`.

Reads what the installed packages of the lock file say about themselves, so it needs no network.
"""

import re
import sys
from collections.abc import Callable, Mapping
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import cast

LOCK = Path(__file__).parents[1] / "requirements/parquet.txt"

# Permissive licences, and MPL-2.0, which asks only that its own files stay open. Names as SPDX writes them.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
# How packages without an SPDX expression name the same licences.
SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_LONGEST_NAME = 60


def names(lock: str) -> list[str]:
    """The packages of a lock file."""
    return sorted(set(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE)))


def licences_of(fields: Message) -> set[str]:
    """SPDX names of all licences that a package mentions. Empty if it names none."""
    expression = fields.get("License-Expression")
    if expression is None:
        classified = [item for item in fields.get_all("Classifier") or [] if item.startswith("License ::")]
        if classified:
            return {_spdx(item.rpartition(" :: ")[2]) for item in classified}
        # Often the name, sometimes the whole text.
        expression = fields.get("License") or ""
        if len(expression) > _LONGEST_NAME:
            return set()
    # "A OR B" lets us choose, but that every one may be used is the simpler rule, and it holds.
    return {_spdx(part) for part in re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", expression) if part.strip()}


def problems(packages: list[str], read: Callable[[str], Message | None]) -> Mapping[str, str]:
    """Package → what is wrong with its licence. `read` returns None for a package that is not installed here."""
    found = {}
    for name in packages:
        fields = read(name)
        if fields is None:
            continue  # a dependency of another platform or version of Python
        licences = licences_of(fields)
        if not licences:
            found[name] = "names no licence"
        elif not licences <= ALLOWED:
            found[name] = f"has {', '.join(sorted(licences - ALLOWED))}, which is not in the list of checks/licences.py"
    return found


def _spdx(name: str) -> str:
    return SPELLINGS.get(name.strip(), name.strip())


def _installed(name: str) -> Message | None:
    try:
        return cast(Message, metadata(name))
    except PackageNotFoundError:
        return None


def main() -> int:
    packages = names(LOCK.read_text(encoding="utf-8"))
    wrong = problems(packages, _installed)
    for name, problem in wrong.items():
        sys.stderr.write(f"licences: {name} {problem}\n")
    if not wrong:
        sys.stdout.write(f"licences: {sum(_installed(name) is not None for name in packages)} packages, all allowed\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
