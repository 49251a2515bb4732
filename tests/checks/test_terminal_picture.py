"""Pictures of terminal output."""

import xml.etree.ElementTree as ElementTree

import pytest

from checks.terminal_picture import GROUNDS, picture


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_picture_keeps_text_and_colour_and_loads_nothing(ground: str) -> None:
    drawn = picture("\x1b[1;31merror\x1b[0m <&> of  3\n  TTFT", 40, ground, title="llmbench show 1")
    tree = ElementTree.fromstring(drawn)
    text = "".join(tree.itertext()).replace("\xa0", " ")
    assert "error" in text
    assert "<&> of  3" in text
    assert "  TTFT" in text
    assert "#cd0000" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
