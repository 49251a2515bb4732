"""Samples as the database stores them: some seconds in one compressed block."""

import zlib
from collections.abc import Iterator, Sequence

import orjson

from shared.observing.sample import Sample


def encode(samples: Sequence[Sample]) -> bytes:
    """The block of these samples."""
    names = sorted({name for sample in samples for name in sample.values})
    document = {
        "at_us": [sample.at_us for sample in samples],
        "failed": [dict(sample.failed) for sample in samples],
        "values": {name: [sample.values.get(name) for sample in samples] for name in names},
    }
    return zlib.compress(orjson.dumps(document))


def decode(block: bytes) -> Iterator[Sample]:
    """The samples of a block."""
    document = orjson.loads(zlib.decompress(block))
    for number, (at_us, failed) in enumerate(zip(document["at_us"], document["failed"], strict=True)):
        values = {name: column[number] for name, column in document["values"].items() if column[number] is not None}
        yield Sample(at_us, values, failed)
