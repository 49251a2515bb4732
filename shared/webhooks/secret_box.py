"""Encrypts the secrets that the database keeps for later use (signing of webhooks)."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.errors import Unavailable


def new_key() -> str:
    """A key for ENCRYPTION_KEY: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


class SecretBox:
    """Encrypts with the first key, decrypts with any. To replace a key, put the new one before it."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError if one of the keys is not valid."""
        fernets = [Fernet(key) for key in keys]
        self._newest = fernets[0] if fernets else None
        self._fernet = MultiFernet(fernets) if fernets else None

    def seal(self, secret: str) -> str:
        """Raises Unavailable if no key is set."""
        if self._fernet is None:
            raise Unavailable("webhooks need ENCRYPTION_KEY; `llmbench webhooks key` makes one")
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unavailable if the sealing key is not configured."""
        try:
            if self._fernet is not None:
                return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            pass
        raise Unavailable("no key in ENCRYPTION_KEY can decrypt the webhook's secret")

    def reseal(self, sealed: str) -> str:
        """The same secret, encrypted with the first key; unchanged if it already is. Raises Unavailable like `open`."""
        try:
            if self._newest is not None:
                self._newest.decrypt(sealed.encode())
                return sealed
        except InvalidToken:
            pass
        return self.seal(self.open(sealed))
