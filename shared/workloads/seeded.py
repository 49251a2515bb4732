"""Random draws that depend on nothing but a seed, a purpose and numbers such as a place. Used by all workloads.

Hashes instead of a generator with a state: any place can be drawn alone, in any process, and no version of a library
changes what a seed gives.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_STEP = 2.0**-53


def key_of(seed: int, purpose: str, *numbers: int) -> bytes:
    """16 bytes. Other purposes or numbers give other bytes."""
    return hashlib.blake2b(f"{purpose} {seed} {numbers}".encode(), digest_size=16).digest()


def uniform(seed: int, purpose: str, *numbers: int) -> float:
    """A draw from 0 to 1. It is never exactly 0 or 1."""
    return ((int.from_bytes(key_of(seed, purpose, *numbers)[:8], "little") >> 11) + 0.5) * _STEP


def words(key: bytes, count: int) -> NDArray[np.uint64]:
    """Random 64-bit words. Asked for more words, it gives the same ones first."""
    return np.frombuffer(hashlib.shake_128(key).digest(8 * count), dtype="<u8")


def permutation(key: bytes, count: int) -> NDArray[np.int64]:
    """The numbers 0 … count - 1 in random order, each order as likely as another."""
    return np.argsort(words(key, count), kind="stable")
