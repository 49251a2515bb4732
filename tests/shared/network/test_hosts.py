"""Host names that a server answers to, and its own origins."""

import pytest

from shared.network.hosts import AllowedHosts, check_pattern, is_loopback, parse_host

HOSTS = AllowedHosts(["bench.example.com", "*.Internal.example.com", "llmbench-api"], "https://public.example.com/x")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("LOCALHOST:8000", True),
        ("localhost.", True),
        ("a.localhost", True),
        ("127.0.0.1:8000", True),
        ("10.1.2.3", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("[FE80::1]:1", True),
        ("bench.example.com", True),
        ("Bench.Example.COM.:443", True),
        ("a.internal.example.com", True),
        ("a.b.internal.example.com", True),
        ("llmbench-api:80", True),
        ("public.example.com", True),
        ("evil.example", False),
        ("internal.example.com", False),
        ("evilinternal.example.com", False),
        ("bench.example.com.evil.example", False),
        ("evil.example:8000", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost:8000:1", False),
        ("localhost:80a", False),
        ("localhost:99999999", False),
        ("[::1", False),
        ("[::1]x", False),
        ("[evil.example]", False),
        ("::1", False),
        ("", False),
        (":8000", False),
        (".", False),
        ("localhost, evil.example", False),
        ("loc\u0430lhost", False),
    ],
)
def test_a_host_is_allowed(host: str, allowed: bool) -> None:
    assert HOSTS.allows(host) is allowed


def test_any_name_is_allowed_with_an_asterisk() -> None:
    assert AllowedHosts(["*"]).allows("evil.example")
    assert not AllowedHosts(["*"]).allows("evil example")
    assert not AllowedHosts().allows("bench.example.com")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://LOCALHOST:8000", "localhost:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://bench.example.com", "bench.example.com", True),
        ("https://bench.example.com", "bench.example.com:443", True),
        ("http://bench.example.com:80", "bench.example.com", True),
        ("https://public.example.com", "api:8000", True),
        ("http://public.example.com", "api:8000", False),
        ("http://localhost:3000", "localhost:8000", False),
        ("http://127.0.0.1:8000", "localhost:8000", False),
        ("http://evil.example", "localhost:8000", False),
        ("null", "localhost:8000", False),
        ("", "localhost:8000", False),
        ("localhost:8000", "localhost:8000", False),
        ("file://localhost:8000", "localhost:8000", False),
        ("chrome-extension://localhost:8000", "localhost:8000", False),
        ("http://localhost:8000", "", False),
    ],
)
def test_an_origin_is_own(origin: str, host: str, own: bool) -> None:
    assert HOSTS.is_own(origin, host) is own


def test_a_host_is_parsed() -> None:
    parsed = parse_host("[::1]:80")
    assert parsed is not None
    assert (parsed.host, parsed.port, parsed.is_address, parsed.is_loopback_name) == ("::1", 80, True, False)


@pytest.mark.parametrize("text", ["https://bench.example.com", "bench.example.com:443", "a b", "*.", "a/*", ""])
def test_a_wrong_item_of_the_list_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="host names"):
        check_pattern(text)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_hosts(host: str, here: bool) -> None:
    assert is_loopback(host) is here
