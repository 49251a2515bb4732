"""Texts of a wanted length from the novel that ships."""

import time

import pytest

from shared.workloads.corpus import Corpus, corpus_of, novel, phrases
from shared.workloads.tokenizer import ENCODINGS, tokenizer_of


def corpus(name: str = "o200k") -> Corpus:
    return corpus_of(tokenizer_of("m", name))


def test_the_novel_is_plain_text_without_a_word_of_any_licence() -> None:
    assert 250_000 < len(novel()) < 350_000
    assert novel().isascii()
    assert "gutenberg" not in novel().lower()
    assert novel().startswith("Chapter 1\n\nSir Walter Elliot, of Kellynch Hall")


def test_phrases_are_different_and_not_too_short() -> None:
    assert len(phrases()) > 3_000
    assert len(set(phrases())) == len(phrases())
    assert all(len(phrase.split()) >= 6 for phrase in phrases())
    # Long ones would be a long common beginning of the texts that begin with them.
    assert sum(len(phrase.split()) > 30 for phrase in phrases()) < 0.01 * len(phrases())


def test_phrases_have_nearly_the_whole_novel() -> None:
    assert sum(map(len, phrases())) > 0.9 * len(novel())


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("tokens", [1, 2, 17, 512, 5_000])
def test_a_text_has_the_wanted_number_of_tokens(name: str, tokens: int) -> None:
    for key in range(50):
        count = tokenizer_of("m", name).count(corpus(name).text(tokens, str(key)))
        assert abs(count - tokens) <= 1


def test_a_text_may_be_longer_than_the_novel() -> None:
    assert corpus().tokenizer.count(corpus().text(300_000, "k")) == 300_000


def test_equal_keys_give_equal_texts_and_other_keys_others() -> None:
    assert corpus().text(100, "a") == Corpus(tokenizer_of("m", "o200k")).text(100, "a")
    assert len({corpus().text(100, str(key)) for key in range(1_000)}) == 1_000


def test_fewer_tokens_give_the_beginning_of_the_same_text() -> None:
    assert corpus().text(500, "a").startswith(corpus().text(100, "a")[:-12])


def test_texts_seldom_begin_alike() -> None:
    """So that a prompt cache finds next to nothing, even with very many requests."""
    texts = [corpus().text(200, str(key)) for key in range(2_000)]
    first_half = [text[: len(text) // 2] for text in texts]
    assert len(set(first_half)) == 2_000


def test_a_core_makes_far_more_texts_than_a_worker_sends() -> None:
    """By this thread's own time, so that a busy machine does not matter."""
    corpus().text(1_000, "warm")
    began = time.thread_time()
    for key in range(1_000):
        corpus().text(1_000, f"speed {key}")
    assert 1_000 / (time.thread_time() - began) > 2_000
