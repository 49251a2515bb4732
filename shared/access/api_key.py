"""API keys as text: `lbk_<id>_<secret><checksum>`. Made, read and hashed here; `shared.db.access.keys` stores them."""

import hmac
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

PREFIX = "lbk_"
ID_CHARS, SECRET_CHARS, CHECKSUM_CHARS = 8, 32, 6
# Small letters and digits: ids are read out, and stand in the names of caps.
_ID_ALPHABET = string.digits + string.ascii_lowercase
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(rf"{PREFIX}([0-9a-z]{{{ID_CHARS}}})_([0-9A-Za-z]{{{SECRET_CHARS}}})([0-9A-Za-z]{{{CHECKSUM_CHARS}}})")

# `hashed_with` of a key that was made while no SECRET_KEY was set.
PLAIN = "sha256"
_PEPPER_ID_CHARS = 11


class NoApiKey(ValueError):
    """The text is no API key, or was copied wrongly. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """The parts of a key. Neither `repr` nor an error shows the secret."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, as its holder sends it."""
        return f"{PREFIX}{self.id}_{self.secret}{checksum(self.id, self.secret)}"


def make() -> ApiKeyText:
    """A new key: 190 random bits, and an id to find it by."""
    return ApiKeyText(_random(_ID_ALPHABET, ID_CHARS), _random(_BASE62, SECRET_CHARS))


def parse(text: str) -> ApiKeyText:
    """The parts of a key. Raises NoApiKey, for a wrong checksum as well."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise NoApiKey(f"is malformed: an API key begins with {PREFIX} and has {_LENGTH} characters")
    key = ApiKeyText(found[1], found[2])
    if not hmac.compare_digest(checksum(key.id, key.secret), found[3]):
        raise NoApiKey("is malformed: its checksum is wrong, so it was copied wrongly")
    return key


def checksum(key_id: str, secret: str) -> str:
    """CRC-32 of id and secret as six digits of base 62. It finds mistakes in copying, and is no protection."""
    number, digits = zlib.crc32(f"{key_id}{secret}".encode()), ""
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits


class Hasher:
    """Hashes secrets of keys: HMAC-SHA-256 with the newest pepper (SECRET_KEY), or SHA-256 without any.

    A plain hash is enough, because secrets are random and long. With a pepper, a copy of the database does not even
    show whether a text is one of the keys. Keys remember what they were hashed with, so those of older peppers, and
    those from before there was one, stay valid.
    """

    def __init__(self, peppers: Sequence[str] = ()) -> None:
        """`peppers`: newest first."""
        self._peppers = {_pepper_id(pepper): pepper.encode() for pepper in peppers}
        self.hashes_with = next(iter(self._peppers), PLAIN)
        # `hashed_with` of all keys that can be valid here.
        self.knows = (PLAIN, *self._peppers)
        # Compared with where there is no key of an id.
        self.dummy = sha256(secrets.token_bytes(32)).hexdigest()

    def hash(self, secret: str) -> str:
        """The hash of a new key, in hexadecimal digits. `hashes_with` says how it was made."""
        return self._all(secret)[self.hashes_with]

    def matches(self, secret: str, stored: str, hashed_with: str) -> bool:
        """Whether a stored hash is that of this secret.

        It takes the same steps for every secret, hash and `hashed_with`, so its time says nothing. A hash with a pepper
        that this process does not have is never matched.
        """
        hashes = self._all(secret)
        found = hashes.get(hashed_with, self.dummy)
        is_same = hmac.compare_digest(found, stored)
        return is_same & (hashed_with in hashes)

    def _all(self, secret: str) -> dict[str, str]:
        data = secret.encode()
        return {
            PLAIN: sha256(data).hexdigest(),
            **{name: hmac.digest(pepper, data, "sha256").hex() for name, pepper in self._peppers.items()},
        }


def _pepper_id(pepper: str) -> str:
    """Names a pepper in `hashed_with`, without telling anything of it."""
    return "hmac-" + sha256(b"llmbench pepper\0" + pepper.encode()).hexdigest()[:_PEPPER_ID_CHARS]


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


_LENGTH = len(PREFIX) + ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS
