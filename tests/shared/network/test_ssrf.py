"""What may be reached through a URL that somebody else chose: every address, every spelling, every change of mind."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.network.ssrf import ForbiddenUrl, SsrfGuard, is_public, networks, parse

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "3ffe:ffff::1",
]
V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


def resolving(*answers: Sequence[str]) -> SsrfGuard:
    """A guard whose resolver gives these answers, one after the other, then the last one for ever."""
    left = list(answers)

    async def resolve(_: str) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return SsrfGuard(resolve=resolve)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(V4)
def test_ipv4_is_never_more_public_than_the_standard_library_says(address: IPv4Address) -> None:
    assert not is_public(address) or address.is_global


@given(V6)
def test_ipv6_is_never_more_public_than_the_standard_library_says(address: IPv6Address) -> None:
    assert not is_public(address) or address.is_global or address.ipv4_mapped or address in NAT64


NAT64 = ipaddress.ip_network("64:ff9b::/96")


@given(V4, st.sampled_from([0xFFFF << 32, int(NAT64.network_address)]))
def test_an_address_that_leads_to_ipv4_is_judged_by_that(address: IPv4Address, prefix: int) -> None:
    assert is_public(IPv6Address(prefix | int(address))) == is_public(address)


@given(V4, st.sampled_from([0x2002 << 112, 0x20010000 << 96, 0]), st.integers(0, 2**16 - 1))
def test_old_tunnels_and_compatible_addresses_lead_nowhere(address: IPv4Address, prefix: int, rest: int) -> None:
    shift = 80 if prefix >> 112 == 0x2002 else 0
    assert not is_public(IPv6Address(prefix | int(address) << shift | (rest << 32 if prefix else 0)))


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./x.1",
        "http://1.2.3.0x4/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]/",
        "http://127.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
    ],
)
async def test_no_spelling_leads_to_this_machine(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        await SsrfGuard().check(url)


@given(V4, st.sampled_from(["decimal", "hex", "octal", "short", "hex parts"]))
async def test_an_odd_spelling_of_any_address_is_refused(address: IPv4Address, way: str) -> None:
    number, parts = int(address), str(address).split(".")
    spelled = {
        "decimal": str(number),
        "hex": hex(number),
        "octal": ".".join("0" + oct(int(part))[2:] for part in parts),
        "short": f"{parts[0]}.{number & 0xFFFFFF}",
        "hex parts": ".".join(hex(int(part)) for part in parts),
    }[way]
    with pytest.raises(ForbiddenUrl):
        await SsrfGuard().check(f"http://{spelled}/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("gopher://example.com/", "https://"),
        ("//example.com/", "https://"),
        ("example.com", "https://"),
        ("http://", "host"),
        ("http://:80/", "host"),
        ("http://example.com:0/", "host"),
        ("http://example.com:99999/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://[v1.x]/", "not a URL"),
        ("http://user:password@example.com/", "user or password"),
        ("http://example.com\\@127.0.0.1/", "backslash"),
        ("http://exa mple.com/", "spaces"),
        ("http://example.com/\r\nX: y", "control"),
        ("http://exam..ple.com/", "host name"),
        ("http://-x-/", "host name"),
        ("http://" + "a" * 300 + "/", "host name"),
        ("http://example.com/" + "a" * 3_000, "characters"),
    ],
)
def test_what_is_no_plain_url_is_refused_with_the_reason(url: str, words: str) -> None:
    with pytest.raises(ForbiddenUrl, match=words):
        parse(url)


def test_a_url_is_a_scheme_a_host_and_a_port() -> None:
    host = parse("https://Hooks.Example.com:8443/in?x=1")
    assert (host.scheme, host.name, host.port) == ("https", "hooks.example.com", 8443)
    assert parse("http://example.com").port == 80
    assert parse("https://bücher.example/").name == "xn--bcher-kva.example"
    assert parse("https://[2606:4700:4700::1111]/").name == "2606:4700:4700::1111"


async def test_one_address_that_is_not_public_is_enough() -> None:
    with pytest.raises(ForbiddenUrl, match="not public"):
        await resolving(["8.8.8.8", "10.0.0.1"]).check("https://both.example/")
    with pytest.raises(ForbiddenUrl, match="not public"):
        await resolving(["2606:4700::1", "::1"]).check("https://both.example/")
    assert await resolving(["8.8.8.8", "2606:4700::1"]).addresses("fine.example") == ["8.8.8.8", "2606:4700::1"]


async def test_a_name_that_changes_its_mind_is_refused_when_it_does() -> None:
    guard = resolving(["8.8.8.8"], ["127.0.0.1"])
    await guard.check("https://rebinding.example/")
    with pytest.raises(ForbiddenUrl):
        await guard.addresses("rebinding.example")


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long"), TimeoutError()])
async def test_a_name_that_nobody_knows_says_only_that(error: Exception) -> None:
    async def fail(_: str) -> Sequence[str]:
        raise error

    with pytest.raises(ForbiddenUrl, match=r"^its host name cannot be resolved$"):
        await SsrfGuard(resolve=fail).check("https://secret-internal-name.example/")


async def test_a_name_without_addresses_is_refused() -> None:
    with pytest.raises(ForbiddenUrl):
        await resolving([]).check("https://empty.example/")


async def test_the_operator_may_open_networks() -> None:
    guard = SsrfGuard(networks("10.1.0.0/16, fd12::/16"))
    assert await guard.addresses("10.1.2.3") == ["10.1.2.3"]
    # Python 3.13 writes such an address in another way than the versions before.
    assert [ip_address(text) for text in await guard.addresses("::ffff:10.1.2.3")] == [ip_address("::ffff:10.1.2.3")]
    assert await guard.addresses("fd12::1") == ["fd12::1"]
    for closed in ("10.2.0.1", "127.0.0.1", "fd13::1"):
        with pytest.raises(ForbiddenUrl):
            await guard.addresses(closed)


def test_networks_are_named_where_they_are_wrong() -> None:
    assert networks("") == ()
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is not a network"):
        networks("127.0.0.0/8,10.0.0.1/8")
