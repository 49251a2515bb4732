"""Reads a page as a browser does, and knows what no page may contain."""

from html.parser import HTMLParser

# Elements that run or load what their attributes or contents say, wherever they come from.
_ACTIVE = {"iframe", "object", "embed", "applet", "base", "style"}


class Page(HTMLParser):
    """The elements of a page in order, and its texts. `elements`: name and attributes of each."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._inside_script = False
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside_script = False

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside_script else self.texts).append(data)

    @property
    def text(self) -> str:
        """All texts, with single spaces."""
        return " ".join("".join(self.texts).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """Attributes of all elements of this name that have these attributes."""
        return [
            found
            for name, found in self.elements
            if name == tag
            and all(found.get(key.rstrip("_").replace("_", "-")) == value for key, value in wanted.items())
        ]


def forbidden(markup: str) -> list[str]:
    """What a strict CSP would refuse, or what would run: inline styles, scripts and handlers, and other hosts."""
    page = Page(markup)
    found = [f"inline script: {text}" for text in page.scripts if text.strip()]
    for tag, attributes in page.elements:
        if tag in _ACTIVE or (tag == "script" and "src" not in attributes):
            found.append(f"<{tag}>")
        for name, value in attributes.items():
            lowered = value.strip().lower()
            if name == "style" or name.startswith(("on", "hx-on")):
                found.append(f"<{tag} {name}>")
            if name in ("src", "href", "action", "formaction") and lowered.startswith(
                ("javascript:", "data:", "http:", "//")
            ):
                found.append(f"<{tag} {name}={value}>")
            if name.startswith("hx-") and ("js:" in lowered or ("[" in lowered and name == "hx-trigger")):
                found.append(f"<{tag} {name}={value}>")
    return found
