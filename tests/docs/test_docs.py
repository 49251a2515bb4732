"""The documentation says what the code does."""

import re
from pathlib import Path

import orjson
import pytest

from cli.demo import EXAMPLE
from shared.benchmark.documentation import with_all_tables
from shared.benchmark.results.flags import FLAGS
from shared.numbers.metrics import DEFINITIONS
from shared.protocols.registry import PROTOCOLS
from shared.providers.adapters import adapter_for
from shared.providers.built_in import BUILT_IN
from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing
from shared.settings import load_settings
from simulator.protocols.registry import WIRE_FORMATS

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


CONFIGURED = [
    (page, block)
    for page in ("docs/providers.md", "docs/configuration.md", "README.md")
    for block in re.findall(r"```yaml\n(.+?)```", (ROOT / page).read_text(), re.DOTALL)
]


@pytest.mark.parametrize(("page", "block"), CONFIGURED, ids=lambda value: value.partition("\n")[0])
def test_every_endpoint_that_is_shown_is_a_valid_one(page: str, block: str) -> None:
    """By the settings' own code. Each can be used once the variables that it names are set."""
    endpoints = load_settings(_env_file=None, providers=block).providers
    assert endpoints
    for endpoint in endpoints:
        adapter_for(endpoint)
        assert KeyRing(dict.fromkeys(endpoint.variables, "a-value")).can_use(endpoint)


RECIPES = re.split(r"^## ", (ROOT / "docs/providers.md").read_text(), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.partition("\n")[0])
def test_every_recipe_has_a_configuration_and_says_what_to_look_for(recipe: str) -> None:
    built_in = re.search(r"Built in as `([\w.-]+)`", recipe)
    if built_in is not None:
        (endpoint,) = (item for item in BUILT_IN if item.name == built_in[1])
        assert endpoint.api_key_env is not None
        assert endpoint.api_key_env in recipe
    else:
        assert "```yaml" in recipe
    assert len(re.findall(r"^- ", recipe, re.MULTILINE)) >= 2


def test_every_provider_that_was_promised_has_a_recipe() -> None:
    assert [recipe.partition("\n")[0] for recipe in RECIPES] == [
        "Anthropic",
        "OpenAI",
        "Azure OpenAI",
        "Amazon Bedrock",
        "Google Vertex AI",
        "Gemini",
        "Mistral",
        "DeepSeek",
        "xAI",
        "Groq",
        "OpenRouter",
        "vLLM",
        "SGLang",
        "TGI",
        "llama.cpp",
        "Ollama",
        "LM Studio",
        "LiteLLM",
    ]


def test_every_flag_that_a_recipe_names_exists() -> None:
    """Words in backquotes that end like one of the flags' names."""
    page = (ROOT / "docs/providers.md").read_text()
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", page))
    flags = {name for name in named if name in FLAGS}
    assert flags >= {"reasoning_hidden", "served_model_differs", "service_tier_differs", "usage_beside_completion"}


@pytest.mark.parametrize("name", Endpoint.model_fields)
def test_every_field_of_an_endpoint_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| ", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)


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
