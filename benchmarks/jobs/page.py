"""The blocks of a page that are played."""

import re
from dataclasses import dataclass
from pathlib import Path

JOBS = Path(__file__).parents[2] / "docs/jobs"
ORDER = ("hosted-model", "own-server", "load", "compare", "ci", "team")
_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Programs that stay: the page lets them run in a terminal of their own.
_STAYS = re.compile(r"^(llmbench up|uvicorn|arq)\b")


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of shell. `stays`: a program that runs until the end of the job."""

    text: str

    @property
    def stays(self) -> bool:
        return bool(_STAYS.match(self.text))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of docs/jobs."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def read(name: str) -> Page:
    text = (JOBS / f"{name}.md").read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return Page(name, title, tuple(Block(found.strip()) for found in _BLOCK.findall(text)))
