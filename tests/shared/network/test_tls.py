"""The TLS context of a client: own CA, client certificate, no verification; every mistake in words."""

import ssl
from pathlib import Path

import pytest
import trustme

from shared.network.tls import TlsOptions, TlsSession, UnusableTls, client_context


def pem(path: Path, *blobs: trustme.Blob) -> str:
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return str(path)


def test_own_cas_replace_those_of_the_system(tmp_path: Path) -> None:
    context = client_context(TlsOptions(ca_file=pem(tmp_path / "ca.pem", trustme.CA().cert_pem)))
    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_without_verification_any_certificate_is_accepted() -> None:
    context = client_context(TlsOptions(verify=False))
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname
    assert client_context().verify_mode is ssl.CERT_REQUIRED


def test_whole_records_before_a_broken_one_are_read_and_the_fault_comes_next() -> None:
    ca = trustme.CA()
    server_side, client_side = (ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
    ca.issue_cert("server.example").configure_cert(server_side)
    ca.configure_trust(client_side)
    client, server = TlsSession(client_side, host="server.example"), TlsSession(server_side, server_side=True)
    while not (client.shake_hands(server.outgoing()) and server.established):
        server.shake_hands(client.outgoing())
    broken = b"\x17\x03\x03\x00\x20" + b"?" * 32
    assert client.decrypt(server.outgoing() + server.encrypt(b"whole") + broken) == (b"whole", False)
    assert client.broken is not None
    with pytest.raises(ssl.SSLError):
        client.decrypt(b"")
    assert server.broken is None
    with pytest.raises(ssl.SSLError):
        server.decrypt(broken)


def test_a_context_is_made_again_only_when_a_file_has_changed(tmp_path: Path) -> None:
    """Certificates that live for hours are exchanged while a worker runs."""
    path = tmp_path / "ca.pem"
    options = TlsOptions(ca_file=pem(path, trustme.CA().cert_pem))
    first = client_context(options)
    assert client_context(options) is first
    pem(path, trustme.CA().cert_pem, trustme.CA().cert_pem)
    assert client_context(options).cert_store_stats()["x509_ca"] == 2


def test_a_certificate_may_hold_its_key(tmp_path: Path) -> None:
    cert = trustme.CA().issue_cert("client.example")
    pem(tmp_path / "both.pem", cert.private_key_and_cert_chain_pem)
    client_context(TlsOptions(client_cert=str(tmp_path / "both.pem")))
    cert_file = pem(tmp_path / "cert.pem", *cert.cert_chain_pems)
    client_context(TlsOptions(client_cert=cert_file, client_key=pem(tmp_path / "key.pem", cert.private_key_pem)))


def test_a_file_that_cannot_be_used_is_named_with_its_field(tmp_path: Path) -> None:
    cert, other = (trustme.CA().issue_cert("client.example") for _ in range(2))
    cert_file = pem(tmp_path / "cert.pem", *cert.cert_chain_pems)
    other_key = pem(tmp_path / "other.pem", other.private_key_pem)
    (tmp_path / "text.pem").write_text("no certificate")
    for options, words in (
        (TlsOptions(ca_file="/nowhere/ca.pem"), "tls.ca_file /nowhere/ca.pem cannot be used: No such file"),
        (TlsOptions(ca_file=str(tmp_path / "text.pem")), "tls.ca_file .*text.pem cannot be used: it is no certificate"),
        (TlsOptions(client_cert="/nowhere/c.pem"), "tls.client_cert /nowhere/c.pem cannot be used: No such file"),
        (TlsOptions(client_cert=cert_file, client_key=other_key), "do not belong together"),
    ):
        with pytest.raises(UnusableTls, match=words):
            client_context(options)
