"""TRUSTED_USERS: names of people, and the keys that they have."""

import json

import pytest

from shared.access.trusted_users import TrustedUsers, parse_users


def test_a_name_counts_before_its_domain_and_that_before_everyone() -> None:
    users = TrustedUsers({"Alice@Example.com": "aaaaaaaa", "*@example.com": "bbbbbbbb", "*": "cccccccc"})
    found = [users.key_id(name) for name in ("alice@example.COM", "bob@example.com", "eve@evil.example", "admin")]
    assert found == ["aaaaaaaa", "bbbbbbbb", "cccccccc", "cccccccc"]


def test_who_is_not_named_has_no_key() -> None:
    users = TrustedUsers({"*@example.com": "bbbbbbbb", "root": "aaaaaaaa"})
    others = (
        "eve@evil.example",
        "example.com",
        "eve@example.com.evil.example",
        "eve@sub.example.com",
        "roots",
        "*",
        "",
    )
    assert [users.key_id(name) for name in others] == [None] * len(others)


@pytest.mark.parametrize(
    "document",
    [
        {"": "aaaaaaaa"},
        {"*@": "aaaaaaaa"},
        {"*example.com": "aaaaaaaa"},
        {"a*@example.com": "aaaaaaaa"},
        {"alice": "lbk_aaaaaaaa_secret"},
        {"*lbk_aaaaaaaa_secret": "aaaaaaaa"},
        {"alice": "AAAAAAAA"},
        {"alice": 1},
        {"alice": {"owner": "acme"}},
        ["alice"],
        "alice",
        None,
    ],
)
def test_what_means_nothing_is_refused_without_its_value(document: object) -> None:
    with pytest.raises(ValueError, match=r"needs|none of|must") as caught:
        parse_users(json.dumps(document))
    assert "secret" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="must be JSON"):
        parse_users("{alice: aaaaaaaa}")
