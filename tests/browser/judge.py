"""What every page must be: accessible, not wider than the screen, each control with a name."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

# A table or a chart may scroll within itself; the page may not. Names what sticks out, the innermost last.
_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const contained = (e) => e && e !== document.body &&
        (getComputedStyle(e).overflowX !== "visible" || contained(e.parentElement));
    return [...document.body.querySelectorAll("*")]
        .filter((e) => e.getBoundingClientRect().right > width + 0.5 && !contained(e.parentElement))
        .map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") || ""}#${e.id}` +
            ` ends at ${Math.round(e.getBoundingClientRect().right)}: ${e.textContent.trim().slice(0, 40)}`);
}"""

# By name, as a screen reader says it.
_NAMELESS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
    .filter((e) => !((e.labels && [...e.labels].some((l) => l.textContent.trim())) || e.getAttribute("aria-label")
        || e.getAttribute("aria-labelledby") || (e.tagName === "BUTTON" && e.textContent.trim())))
    .map((e) => e.outerHTML.slice(0, 200))"""


@cache
def _axe() -> str:
    if not _AXE.exists():
        pytest.skip("npm cannot install axe-core from tests/browser/axe/package-lock.json")
    return _AXE.read_text()


def violations(page: "Page", *, contrast: bool = True) -> list[str]:
    """Breaches of WCAG 2.1 A and AA that axe-core finds, one line an element."""
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    if not contrast:
        options["rules"] = {"color-contrast": {"enabled": False}}
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        for node in rule["nodes"]
    ]


def too_wide(page: "Page") -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found


def nameless(page: "Page") -> list[str]:
    """Controls without a label."""
    found: list[str] = page.evaluate(_NAMELESS)
    return found


def faults(page: "Page") -> list[str]:
    """All of these."""
    return [
        *(f"too wide: {item}" for item in too_wide(page)),
        *(f"no label: {item}" for item in nameless(page)),
        *violations(page),
    ]
