"""A hook of mkdocs: links of the pages that leave docs/ lead to the repository, and links to a folder to its index."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """mkdocs calls this with the text of each page, before it reads the links."""
    return rewritten(markdown, DOCS / page.file.src_uri)


def rewritten(markdown: str, page: Path) -> str:
    """The text with other targets where a site has none of the file's own. What leads nowhere stays, and is found."""

    def target(link: re.Match[str]) -> str:
        path = (page.parent / link[1]).resolve()
        if not path.exists():
            return link[1]
        if not path.is_relative_to(DOCS):
            return f"{_source()}/blob/main/{path.relative_to(ROOT)}"
        if path.is_dir():
            index = next(name for name in ("index.md", "README.md") if (path / name).is_file())
            return f"{link[1].rstrip('/')}/{index}"
        return link[1]

    return _LINK.sub(target, markdown)


def _source() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Source"])
