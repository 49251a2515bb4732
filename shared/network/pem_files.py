"""Checks the certificates and keys that a URL's parameters name, so that a program can refuse them at its start."""

import ssl


def trust_problem(path: str) -> str | None:
    """What is wrong with a file of trusted certificates or revocations, in words; None if it can be used."""
    try:
        _context().load_verify_locations(cafile=path)
    except OSError as exc:  # of which ssl.SSLError is one
        return _words(exc)
    return None


def key_problem(certificate: str, key: str | None, password: str = "") -> str | None:
    """What is wrong with a client's certificate and key, in words; None if they can be used."""
    try:
        _context().load_cert_chain(certificate, key, lambda: password)
    except OSError as exc:
        return _words(exc)
    return None


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _words(exc: OSError) -> str:
    return exc.strerror or type(exc).__name__
