"""Keeps secrets that must be used again (webhook signing) encrypted in the database."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.errors import Unavailable


def new_key() -> str:
    """A key for ENCRYPTION_KEY: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


class SecretBox:
    """Encrypts with the first key, decrypts with any: a key is replaced by putting a new one before it."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError for a key that is none."""
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, secret: str) -> str:
        """Raises Unavailable where no key is set."""
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
        raise Unavailable("no ENCRYPTION_KEY here opens the webhook's secret")
