"""The secret of a session, its hash and its token."""

import hashlib

from shared.access.session import csrf_token, hash_of, is_csrf_token, is_secret, new_secret


def test_a_secret_has_32_random_bytes_and_none_is_made_twice() -> None:
    made = {new_secret() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(is_secret(secret) for secret in made)


def test_other_texts_are_no_secrets() -> None:
    assert not any(map(is_secret, ("", "x" * 42, "x" * 44, "x" * 42 + "\n", "é" * 43, "x" * 42 + " ")))


def test_only_the_hash_is_stored_and_it_differs_by_user() -> None:
    secret = new_secret()
    assert hash_of(secret) == hashlib.sha256(secret.encode()).hexdigest()
    assert len({hash_of(secret), hash_of(secret, "alice@example.com"), hash_of(secret, "bob@example.com")}) == 3


def test_the_token_of_forms_belongs_to_one_session_and_does_not_tell_its_secret() -> None:
    one, other = new_secret(), new_secret()
    token = csrf_token(one)
    assert is_csrf_token(token, one)
    assert not is_csrf_token(token, other)
    assert not is_csrf_token(one, one)
    assert not any(is_csrf_token(given, one) for given in ("", "é", "\ud800", token[:-1], token + "x"))
    assert one not in token
