"""Files of tokenizers. The counts in `data` are those of the library that made the files."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.workloads.tokenizer_json import TokenizerJson, UnreadableTokenizer

DATA = Path(__file__).parent / "data"
KINDS = ["byte_level", "gpt2", "metaspace", "sentencepiece"]


def document(kind: str = "byte_level") -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((DATA / f"{kind}.json").read_bytes())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_has_the_count_of_the_original(kind: str) -> None:
    """Several scripts, spaces of all kinds, characters that the vocabulary lacks."""
    tokenizer = TokenizerJson(document(kind)["tokenizer"])
    assert [tokenizer.count(text) for text, _ in document(kind)["counts"]] == [n for _, n in document(kind)["counts"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_without_a_space_is_counted_in_good_time(kind: str) -> None:
    """A merge looks at its neighbours only, so the time does not grow with the square of the length."""
    tokenizer = TokenizerJson(document(kind)["tokenizer"])
    tokenizer.count("ab" * 1_000)
    began = time.perf_counter()
    tokenizer.count("xy" * 2_000)
    short = time.perf_counter() - began
    began = time.perf_counter()
    tokenizer.count("yz" * 20_000)
    assert time.perf_counter() - began < 40 * max(short, 0.005)


def test_a_word_of_the_vocabulary_may_be_one_token_without_a_merge() -> None:
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": []}
    assert TokenizerJson({"model": model}).count("ab") == 2
    assert TokenizerJson({"model": {**model, "ignore_merges": True}}).count("ab") == 1


@pytest.mark.parametrize(
    ("behavior", "tokens"),
    [("Isolated", 3), ("Removed", 2), ("MergedWithPrevious", 2), ("MergedWithNext", 2)],
)
def test_a_split_keeps_joins_or_removes_its_delimiters(behavior: str, tokens: int) -> None:
    split = {"type": "Split", "pattern": {"String": "-"}, "behavior": behavior, "invert": False}
    vocabulary = {part: number for number, part in enumerate(["a", "b", "-", "a-", "-b", "a-b"])}
    model = {"vocab": vocabulary, "merges": ["a -", "- b", "a- b"]}
    assert TokenizerJson({"pre_tokenizer": split, "model": model}).count("a-b") == tokens


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalizer": {"type": "Precompiled"}}, "the normalizer 'Precompiled' is not known"),
        ({"pre_tokenizer": {"type": "BertPreTokenizer"}}, "the pre-tokenizer 'BertPreTokenizer' is not known"),
        ({"model": {"type": "WordPiece", "vocab": {}}}, "only BPE"),
        ({"model": {"type": "BPE", "vocab": {}, "merges": []}}, "vocab must be an object with tokens"),
        ({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}}, "a merge must have two parts"),
        ({"model": {"type": "BPE", "vocab": {"a": 0}}}, "this is not a tokenizer.json .*merges"),
        ({"model": 5}, "this is not a tokenizer.json"),
        (
            {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": r"\p{Han}+"}, "behavior": "Isolated"}},
            "cannot be read",
        ),
        (
            {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": r"\p{Xx}"}, "behavior": "Isolated"}},
            "'Xx' is not known",
        ),
        ({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "["}, "behavior": "Isolated"}}, "cannot be read"),
        (
            {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[a[b]]"}, "behavior": "Isolated"}},
            "set within a set",
        ),
        ({"pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Contiguous"}}, "'Contiguous'"),
    ],
)
def test_what_is_not_known_is_refused(changes: dict[str, Any], message: str) -> None:
    """A count that is silently wrong is worse than none."""
    with pytest.raises(UnreadableTokenizer, match=message):
        TokenizerJson({**document()["tokenizer"], **changes})


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"text"', b"{}"])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(UnreadableTokenizer):
        TokenizerJson.read(tmp_path / "t.json")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "t.json").open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(UnreadableTokenizer, match="larger than 64 MB"):
        TokenizerJson.read(tmp_path / "t.json")
