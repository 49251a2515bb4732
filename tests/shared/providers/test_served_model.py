"""Whether a name in an answer is the model that was asked for."""

import pytest

from shared.providers.served_model import is_more_exact, is_of_same_family, is_same_name


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-5", "gpt-5-2025-08-07"),
        ("gpt-4", "gpt-4-0613"),
        ("GPT-4o", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("llama-v3p1-8b", "accounts/fireworks/models/llama-v3p1-8b"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"),
        ("command-r", "command-r-08-2024"),
        ("gemini-flash-latest", "gemini-2.5-flash-preview-09-2025"),
        ("mistral-large-latest", "mistral-large-2411"),
        ("llama3.2", "llama3.2:latest"),
        # A router may leave its tag out.
        ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1"),
        ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1-0528:free"),
    ],
)
def test_dates_paths_and_aliases_are_the_same_model(asked: str, served: str) -> None:
    assert is_same_name(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-4o", "gpt-4o-mini-2024-07-18"),
        ("gpt-4", "gpt-4o"),
        ("gpt-4", "gpt-4.1"),
        ("claude-3-5-sonnet", "claude-3-7-sonnet"),
        ("gemini-flash-latest", "gemini-2.5-flash-lite"),
        # Another release than the one that was asked for by its date.
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        # Another offer: at another price.
        ("deepseek/deepseek-r1", "deepseek/deepseek-r1:free"),
        ("qwen3:8b", "qwen3:32b"),
        ("gpt-4o", "m"),
        ("gpt-4o", "/models/llama-3-8b.Q4_K_M.gguf"),
        ("gpt-4o", ":"),
    ],
)
def test_other_names_are_other_models(asked: str, served: str) -> None:
    assert not is_same_name(asked, served)


def test_a_release_is_more_exact_than_a_name_that_leaves_it_open() -> None:
    assert is_more_exact("gpt-4o", "gpt-4o-2024-05-13")
    assert is_more_exact("gemini-flash-latest", "gemini-2.5-flash")
    assert not is_more_exact("gpt-4o-2024-05-13", "gpt-4o-2024-05-13")
    assert not is_more_exact("gpt-4o", "openai/gpt-4o")
    assert not is_more_exact("x/gpt-4o:free", "x/gpt-4o-2024-05-13")


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        ("gpt-9", True),
        ("openai/gpt-4o-foo", True),
        ("m", False),
        ("prod-deployment", False),
        ("/models/gpt-oss-20b", False),
        ("gpt-oss-20b.gguf", False),
        ("7", False),
        ("", False),
    ],
)
def test_a_name_of_the_same_family_is_a_models_and_not_an_alias(served: str, expected: bool) -> None:
    assert is_of_same_family("gpt-4o", served) is expected
