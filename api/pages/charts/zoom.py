"""What the reader chose of a figure, as the URL has it: `zoom.ttft-ecdf=100..300`, `scale.ttft-ecdf=log`."""

import math
from collections.abc import Mapping

from api.pages.charts.scale import Kind


def zoom_of(query: Mapping[str, str], figure_id: str) -> tuple[float, float] | None:
    """The chosen part of the x axis. None if there is none or it makes no sense."""
    low_text, separator, high_text = query.get(f"zoom.{figure_id}", "").partition("..")
    if not separator:
        return None
    try:
        low, high = float(low_text), float(high_text)
    except ValueError:
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None


def scale_of(query: Mapping[str, str], figure_id: str, default: Kind = "linear") -> Kind:
    """The chosen kind of the x axis."""
    chosen = query.get(f"scale.{figure_id}")
    return "log" if chosen == "log" else "linear" if chosen == "linear" else default
