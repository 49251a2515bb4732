"""Counts of tokens, and which encoding counts for which model."""

from pathlib import Path

import orjson
import pytest

from shared.errors import InvalidRequest
from shared.workloads.learnt_factor import LearntFactor
from shared.workloads.tokenizer import ENCODINGS, encoding_for, tokenizer_of

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", "o200k"),
        ("gpt-4.1", "o200k"),
        ("gpt-5", "o200k"),
        ("o3-mini", "o200k"),
        ("gpt-4", "cl100k"),
        ("gpt-4-turbo", "cl100k"),
        ("gpt-3.5-turbo", "cl100k"),
        ("openai/gpt-oss-120b", "harmony"),
        ("Qwen/Qwen3-8B", "qwen3.5"),
        ("qwen/qwq-32b", "qwen3.5"),
        ("claude-sonnet-4", "o200k"),
        ("meta-llama/Llama-3.1-8B", "o200k"),
        ("", "o200k"),
    ],
)
def test_the_name_of_a_model_says_its_encoding(model: str, encoding: str) -> None:
    assert encoding_for(model) == encoding


def test_known_texts_have_known_counts() -> None:
    """Of the encodings that their makers publish."""
    assert tokenizer_of("gpt-4", None).count("hello world") == 2
    assert tokenizer_of("gpt-4o", None).count("tiktoken is great!") == 6
    assert tokenizer_of("gpt-4o", None).count("") == 0


def test_a_spec_may_want_another_encoding() -> None:
    assert tokenizer_of("gpt-4o", "cl100k").name == "cl100k"


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_cut_text_fits_and_ends_no_character_in_the_middle(name: str) -> None:
    tokenizer = tokenizer_of("m", name)
    text = "Grüße aus 東京: the quick brown fox 🧠🧠 jumps over the lazy dog."
    for tokens in range(1, tokenizer.count(text) + 1):
        beginning = tokenizer.cut(text, tokens)
        assert text.startswith(beginning)
        assert tokenizer.count(beginning) <= tokens
    assert tokenizer.cut(text, 1_000) == text


def test_special_tokens_in_a_text_are_counted_as_the_text_they_are() -> None:
    """A prompt that holds them must not be refused or cut short."""
    assert tokenizer_of("gpt-4o", None).count("<|endoftext|>") > 1


def test_a_tokenizer_file_counts(tmp_path: Path) -> None:
    document = orjson.loads((DATA / "byte_level.json").read_bytes())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/tokenizer.json").write_bytes(orjson.dumps(document["tokenizer"]))
    tokenizer = tokenizer_of("m", "mine/tokenizer.json", tmp_path)
    text, count = document["counts"][4]
    assert tokenizer.count(text) == count
    beginning = tokenizer.cut(text, 100)
    assert text.startswith(beginning)
    assert 98 <= tokenizer.count(beginning) <= 100
    assert tokenizer.cut("Hello", 100) == "Hello"


@pytest.mark.parametrize("name", ["../secret.json", "/etc/hosts.json", "missing.json", "link.json"])
def test_no_file_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    folder = tmp_path / "tokenizers"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(InvalidRequest, match="there is no file"):
        tokenizer_of("m", name, folder)


def test_without_a_folder_no_file_is_read() -> None:
    with pytest.raises(InvalidRequest, match="no folder of tokenizers is configured"):
        tokenizer_of("m", "mine.json")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"model": {"type": "Unigram", "vocab": []}}')
    with pytest.raises(InvalidRequest, match="the model 'Unigram' is not known, only BPE"):
        tokenizer_of("m", "bad.json", tmp_path)


def test_a_factor_is_learnt_from_three_results() -> None:
    factor = LearntFactor()
    for estimated, reported in [(100, 110), (200, 240), (0, 5), (100, None), (100, 0)]:
        factor.add(estimated, reported)
    assert factor.value is None
    factor.add(50, 65)
    assert factor.value == pytest.approx((1.1 + 1.2 + 1.3) / 3)
