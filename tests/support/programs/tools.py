"""Programs of Debian packages that some tests need: on the PATH, or where `.ci/tools` has put them with libraries."""

import shutil
from pathlib import Path

_FETCHED = Path(__file__).parents[3] / ".venv/tools"


def tool(name: str) -> str | None:
    """The program's path; None where it is not to be had."""
    places = [str(_FETCHED / "usr" / folder) for folder in ("bin", "sbin")]
    return shutil.which(name) or shutil.which(name, path=":".join([*places, "/usr/sbin"]))


def fetched_libraries() -> list[Path]:
    """What the fetched programs need and this machine may not have."""
    return sorted(_FETCHED.glob("usr/lib/*/lib*.so.*"))
