"""The TLS context of a client: own CA, client certificate, no verification; every mistake in words."""

import ssl
from pathlib import Path

import pytest
import trustme

from shared.network.tls import TlsOptions, UnusableTls, client_context


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
