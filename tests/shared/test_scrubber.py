"""Keys are masked wherever they stand; other text is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scrubber import MASK, Scrubber, looks_secret, shorten

KNOWN = "plain-known-key-without-a-pattern"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Incorrect API key provided: sk-ant-api03-0123456789abcdef", "Incorrect API key provided: [redacted]"),
        ("key sk-proj-0123456789abcdef is wrong", "key [redacted] is wrong"),
        ("gsk_0123456789abcdef", "[redacted]"),
        ("sent lbk_ab12cd34_0123456789abcdefghijklmnopqrstuvABCDEF to it", "sent [redacted] to it"),
        ("GET /keys/lbk_ab12cd34_0123456789abcdef", "GET /keys/[redacted]"),
        ("signed with whsec_MDEyMzQ1Njc4OQ/0123456789+x==", "signed with [redacted]"),
        ("xai-0123456789abcdef", "[redacted]"),
        ("Authorization: Bearer abcdef.0123456789", "Authorization: [redacted]"),
        ("x-api-key: abcdefgh12345", "[redacted]"),
        ('{"api_key": "abcdefgh12345"}', '{"[redacted]"}'),
        ("postgresql://user:hunter2@db/x", "postgresql://[redacted]@db/x"),
        ("postgresql://h/x?password=hunter2&sslmode=require", "postgresql://h/x?[redacted]&sslmode=require"),
        ("postgresql://h/x?a=b&sslpassword=hunter2", "postgresql://h/x?a=b&[redacted]"),
        ("redis://:hunter2@host:6379/0", "redis://[redacted]@host:6379/0"),
    ],
)
def test_what_looks_like_a_key_is_masked(text: str, left: str) -> None:
    found = Scrubber().scrub(text)
    assert MASK in found
    assert found.split(MASK)[0] == left.split(MASK)[0]
    for secret in ("0123456789", "abcdefgh12345", "hunter2"):
        assert secret not in found


# What each looks like, made up. `0` stands for any letter or digit.
OF_PROVIDERS = [
    "AIzaSy" + "0" * 33,
    "AIzaSy0-_" + "0" * 30,
    "AQ.Ab8" + "0" * 40,
    "fw_" + "0" * 22,
    "hf_" + "0" * 34,
    "r8_" + "0" * 37,
    "tgp_v1_" + "0" * 40,
    "pplx-" + "0" * 48,
    "nvapi-" + "0" * 64,
    "csk-" + "0" * 48,
    "ghp_" + "0" * 36,
    "github_pat_" + "0" * 22 + "_" + "0" * 59,
    "ABSK" + "0" * 120 + "==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
]


@pytest.mark.parametrize("key", OF_PROVIDERS)
def test_a_key_of_a_provider_is_masked_whatever_stands_around_it(key: str) -> None:
    assert looks_secret("x", key)
    for before, after in (
        ("", ""),
        ("key ", " is wrong"),
        ('{"a":"', '"}'),
        ("https://h/v1?a=b&key=", "&c=d"),
        ("=", ","),
    ):
        found = Scrubber().scrub(f"{before}{key}{after}")
        assert MASK in found
        assert key not in found
        assert found.endswith(after)


@pytest.mark.parametrize("query", ["key", "api_key", "apikey", "access_token", "token"])
def test_a_key_in_a_url_is_masked(query: str) -> None:
    found = Scrubber().scrub(f"GET https://h/v1?a=b&{query}=0123456789abcdef0123 failed")
    assert found == f"GET https://h/v1?a=b&{MASK} failed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AIza is how a key begins",
        "hf_hub_download of transformers failed",
        "HF_HUB_ENABLE_HF_TRANSFER",
        "fw_version 12, r8_unorm",
        "pplx-70b-online, nvapi-test, github_pat_example",
        "eyJ.eyJ.x and eyJhbGci",
        "ABSKETCH",
        "see /items?key=colour&token=next",
        "/benchmarks?cursor=WyJhbnRocm9waWMiLCAiMTIzNDU2Nzg5MCJd",
        "a skeleton key",
        "the task-based approach",
        "Rate limit reached for gpt-4o-mini: 429",
        "http://127.0.0.1:8000/v1/chat/completions",
        "Bearer of news",
        "mail me at a@b.example",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert Scrubber([KNOWN]).scrub(text) == text


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_known_key_is_masked_wherever_it_stands(before: str, after: str) -> None:
    scrubber = Scrubber([KNOWN])
    assert KNOWN not in scrubber.scrub(f"{before}{KNOWN}{after}{KNOWN}")
    assert scrubber.mask_known(f"{before}{KNOWN}{after}") == f"{before}{MASK}{after}"


def test_of_two_keys_the_longer_is_masked_first() -> None:
    """Else the rest of the longer one would stay."""
    assert Scrubber(["secret", "secret-and-more"]).mask_known("secret-and-more secret") == f"{MASK} {MASK}"


def test_an_empty_or_tiny_key_masks_nothing() -> None:
    """Else every letter of every text would go."""
    assert Scrubber(["", "a"]).scrub("banana") == "banana"


def test_a_models_answer_is_masked_only_where_it_repeats_a_known_key() -> None:
    answer = f"Use sk-0123456789abcdef like this, not {KNOWN}."
    assert Scrubber([KNOWN]).mask_known(answer) == f"Use sk-0123456789abcdef like this, not {MASK}."


@given(st.text(max_size=300))
def test_a_scrubbed_text_keeps_to_its_limit(text: str) -> None:
    found = Scrubber().scrub(text, limit=50)
    assert len(found) <= 50
    assert found.endswith("…") or len(found) < 50 or text.endswith(found[-1])


@given(st.text(max_size=30), st.sampled_from([" ", "\n", '"', "'", "错"]), st.integers(0, 80))
def test_no_half_of_a_key_is_left_where_a_text_is_cut(before: str, mark: str, most: int) -> None:
    kept = shorten(f"{before}{mark}{KNOWN}{mark}", most)
    assert len(kept) <= most
    assert KNOWN in kept or not kept.startswith(f"{before}{mark}{KNOWN[0]}")


def test_a_text_is_cut_between_words_unless_it_is_one_word() -> None:
    assert [shorten("one two", most) for most in (7, 6, 4, 3, 2)] == ["one two", "one ", "one ", "one", "on"]
    assert shorten("错误" * 100, 5) == "错误错误错"


def test_keys_that_are_learnt_later_are_masked_too() -> None:
    scrubber = Scrubber([KNOWN])
    scrubber.learn(["another-key", "a"])
    assert scrubber.mask_known(f"{KNOWN} another-key banana") == f"{MASK} {MASK} banana"
