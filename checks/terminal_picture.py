"""Draws the text of a terminal with its colours as SVG, for `checks.captures`."""

from io import StringIO

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

# xterm's own colours: the ones that a plain terminal has.
_ANSI = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)]
_BRIGHT = [
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
]
GROUNDS = {
    "dark": TerminalTheme((0, 0, 0), (229, 229, 229), _ANSI, _BRIGHT),
    "light": TerminalTheme((255, 255, 255), (0, 0, 0), _ANSI, _BRIGHT),
}
# Rich's own frame loads a font from another host.
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" xml:space="preserve">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" fill="{background}"/>
<g transform="translate(9, 5) scale(0.97)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(ansi: str, columns: int, ground: str, title: str) -> str:
    """SVG of text with ANSI colours. `ground` is a key of GROUNDS."""
    theme = GROUNDS[ground]
    frame = _FRAME.replace("{background}", theme.background_color.hex)
    console = Console(record=True, width=columns, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(ansi), end="", soft_wrap=True)
    return console.export_svg(title=title, theme=theme, code_format=frame, unique_id=f"capture-{ground}")
