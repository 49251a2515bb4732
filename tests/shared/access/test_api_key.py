"""API keys as text, and their hashes."""

import hmac
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.api_key import PLAIN, ApiKeyText, Hasher, NoApiKey, checksum, make, parse

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_a_new_key_has_the_promised_form_and_is_read_again() -> None:
    key = make()
    prefix, key_id, rest = key.text.split("_")
    assert (prefix, len(key_id), len(rest), len(key.text)) == ("lbk", 8, 38, 51)
    assert set(rest) <= set(DIGITS)
    assert parse(key.text) == key
    assert len({make().text for _ in range(200)}) == 200


@given(
    st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=8), st.text(DIGITS, min_size=32, max_size=32)
)
def test_the_checksum_is_the_crc_of_id_and_secret(key_id: str, secret: str) -> None:
    written = checksum(key_id, secret)
    number = 0
    for digit in written:
        number = 62 * number + DIGITS.index(digit)
    assert (len(written), number) == (6, zlib.crc32((key_id + secret).encode()))


def test_each_wrong_character_is_noticed() -> None:
    """A key that was copied wrongly is refused without the database."""
    text = make().text
    for place in range(len(text)):
        for other in ("0", "a", "Z", "_", " "):
            if text[place] != other:
                with pytest.raises(NoApiKey):
                    parse(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lbk_",
        "sk-ant-api03-0123456789",
        "lbk_abcdefgh_",
        "LBK_" + make().text[4:],
        make().text + "\n",
        " " + make().text,
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NoApiKey) as refused:
        parse(text)
    assert not text.strip() or text.strip() not in str(refused.value).replace("lbk_ and", "")


def test_digits_of_other_scripts_are_none() -> None:
    with pytest.raises(NoApiKey):
        parse("lbk_abcdefg٣_" + "a" * 38)


def test_a_key_never_shows_its_secret_by_accident() -> None:
    key = make()
    assert key.secret not in repr(key)
    assert key.secret not in f"{key}"


def test_without_a_pepper_the_hash_is_sha_256() -> None:
    hasher = Hasher()
    assert hasher.hashes_with == PLAIN
    assert hasher.hash("secret") == sha256(b"secret").hexdigest()
    assert hasher.matches("secret", sha256(b"secret").hexdigest(), PLAIN)
    assert not hasher.matches("other", sha256(b"secret").hexdigest(), PLAIN)


def test_with_a_pepper_it_is_an_hmac_of_it() -> None:
    hasher = Hasher(["p" * 32])
    assert hasher.hashes_with.startswith("hmac-")
    assert len(hasher.hashes_with) <= 16
    assert hasher.hash("secret") == hmac.digest(b"p" * 32, b"secret", "sha256").hex()
    assert "p" * 11 not in hasher.hashes_with


def test_keys_of_before_the_pepper_and_of_older_peppers_stay_valid() -> None:
    before, old = Hasher(), Hasher(["o" * 32])
    new = Hasher(["n" * 32, "o" * 32])
    assert new.hashes_with not in (old.hashes_with, PLAIN)
    for hasher in (before, old, new):
        assert new.matches("secret", hasher.hash("secret"), hasher.hashes_with)
        assert not new.matches("other", hasher.hash("secret"), hasher.hashes_with)


def test_a_key_of_a_pepper_that_is_gone_is_never_matched() -> None:
    old, new = Hasher(["o" * 32]), Hasher(["n" * 32])
    assert not new.matches("secret", old.hash("secret"), old.hashes_with)
    assert not new.matches("secret", new.dummy, old.hashes_with)


def test_an_id_says_which_key_it_is_and_nothing_more() -> None:
    assert ApiKeyText("abcdefgh", "s" * 32).text.startswith("lbk_abcdefgh_")
