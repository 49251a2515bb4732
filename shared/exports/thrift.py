"""Writes structs in Thrift's compact protocol, in which Parquet describes a file. Used by `shared.exports.parquet`.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12


@dataclass(frozen=True, slots=True)
class I32:
    """A 32-bit number. A plain `int` is a 64-bit one."""

    value: int


# A struct is a mapping from field ids, in rising order, to values. A field that is None is left out.
Value: TypeAlias = "bool | I32 | int | str | Sequence[Value] | Mapping[int, Value | None]"


def encode(struct: Mapping[int, "Value | None"]) -> bytes:
    """The struct as bytes."""
    out = bytearray()
    _struct(out, struct)
    return bytes(out)


def varint(number: int) -> bytes:
    """ULEB128 of a number that is not negative."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _struct(out: bytearray, struct: Mapping[int, "Value | None"]) -> None:
    before = 0
    for field, value in struct.items():
        if value is None:
            continue
        kind = _kind(value)
        if 0 < field - before < 16:
            out.append((field - before) << 4 | kind)
        else:
            out.append(kind)
            out += varint(_zigzag(field))
        before = field
        if not isinstance(value, bool):
            _value(out, value)
    out.append(0)


def _kind(value: Value) -> int:
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, I32):
        return _I32
    if isinstance(value, int):
        return _I64
    if isinstance(value, str):
        return _BINARY
    return _STRUCT if isinstance(value, Mapping) else _LIST


def _value(out: bytearray, value: Value) -> None:
    if isinstance(value, I32):
        out += varint(_zigzag(value.value))
    elif isinstance(value, int):
        out += varint(_zigzag(value))
    elif isinstance(value, str):
        text = value.encode()
        out += varint(len(text)) + text
    elif isinstance(value, Mapping):
        _struct(out, value)
    else:
        kind = _kind(value[0]) if value else _STRUCT
        if len(value) < 15:
            out.append(len(value) << 4 | kind)
        else:
            out.append(0xF0 | kind)
            out += varint(len(value))
        for item in value:
            _value(out, item)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
