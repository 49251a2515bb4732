"""Reads a chart."""

import re
import xml.etree.ElementTree as ET
from typing import NamedTuple


class Drawn(NamedTuple):
    """A chart as XML, which proves that it is well-formed."""

    root: ET.Element

    @classmethod
    def of(cls, svg: str) -> "Drawn":
        return cls(ET.fromstring(svg))

    def paths(self, css: str) -> list[str]:
        """What paths of this class draw."""
        return [path.get("d", "") for path in self.root.iter("path") if css in path.get("class", "").split()]

    def texts(self, css: str = "") -> list[str]:
        """Visible texts, of a class."""
        return [text.text or "" for text in self.root.iter("text") if not css or css in text.get("class", "").split()]

    def box(self) -> list[float]:
        return [float(part) for part in self.root.get("viewBox", "").split()]


def points(commands: str) -> list[tuple[float, float]]:
    """All places of a path, in pixels."""
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", commands)]
