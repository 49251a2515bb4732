"""The documentation says what the code does."""

import re
from pathlib import Path

import orjson
import pytest

from cli.demo import EXAMPLE
from shared.benchmark.documentation import with_all_tables
from shared.benchmark.flags import FLAGS
from shared.numbers.metrics import DEFINITIONS
from shared.protocols.registry import PROTOCOLS
from simulator.registry import WIRE_FORMATS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements/*.md")])


def test_every_metric_is_documented_with_its_definition() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    assert with_all_tables(page) == page, "run `make docs`"
    for name in (*DEFINITIONS, *FLAGS):
        assert page.count(f"| `{name}` | ") == 1, name


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_documented_with_its_options(name: str) -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    (row,) = re.findall(r"^\| `protocol` \| (.+) \|$", page, re.MULTILINE)
    assert f"`{name}` ({PROTOCOLS[name].title}" in row
    options = re.findall(rf"^\| `{name}` \| `(\w+)` \| .+ \|$", page, re.MULTILINE)
    assert options == list(PROTOCOLS[name].options.model_fields)


@pytest.mark.parametrize("path", WIRE_FORMATS)
def test_every_path_of_the_simulator_is_documented(path: str) -> None:
    assert f"| `POST {path}` |" in (ROOT / "docs/simulator.md").read_text()


def test_the_example_of_the_readme_is_the_one_of_the_demo() -> None:
    (body,) = re.findall(r"-d '(\{.+?\})'", (ROOT / "README.md").read_text(), re.DOTALL)
    assert orjson.loads(body) == EXAMPLE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_json_block_is_json(page: Path) -> None:
    for block in re.findall(r"```json\n(.+?)```", page.read_text(), re.DOTALL):
        orjson.loads(block)
