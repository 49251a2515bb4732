"""Builds the documentation as a site: `python -m checks.site [--into FOLDER]`.

The build is strict: a link, an anchor or an entry of the navigation that leads nowhere fails it. A page that loads
something from another server fails too.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.report import not_run
from shared.settings import process_environment

ROOT = Path(__file__).parents[1]
# What a browser loads by itself, other than a link that somebody follows.
_LOADED = (
    re.compile(r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"),
    re.compile(
        r"<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|icon|preload|preconnect|modulepreload|dns-prefetch))[^>]*?"
        r"\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
    ),
)
_LOADED_BY_CSS = re.compile(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, help="keep the site here")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("material") is None:
        not_run("docs-site", "mkdocs-material cannot be installed from requirements/docs.txt, so no link was followed")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        site = (options.into or Path(temporary) / "site").resolve()
        done = build(ROOT / "mkdocs.yml", site)
        if done.returncode:
            sys.stderr.write(done.stderr)
            return 1
        found = [f"{page.relative_to(site)} loads {url}" for page, url in foreign(site)]
        sys.stderr.writelines(f"site: {problem}\n" for problem in found)
        if not found:
            pages = sum(1 for _ in site.glob("**/*.html"))
            sys.stdout.write(f"site: {pages} pages, every link leads somewhere, nothing is loaded from elsewhere\n")
    return bool(found)


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """A strict build. Its warnings are in `stderr`. With `--quiet`, mkdocs would not count them either."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "-f", str(config), "-d", str(site)]
    # Otherwise the theme prints an advertisement.
    environment = process_environment(NO_MKDOCS_2_WARNING="1")
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def foreign(site: Path) -> Iterator[tuple[Path, str]]:
    """(file, URL) of each thing that a page or a style sheet loads from another server."""
    for page in sorted(site.glob("**/*.html")):
        text = page.read_text(encoding="utf-8")
        for pattern in _LOADED:
            yield from ((page, url) for url in pattern.findall(text))
    for sheet in sorted(site.glob("**/*.css")):
        yield from ((sheet, url) for url in _LOADED_BY_CSS.findall(sheet.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
