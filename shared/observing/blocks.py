"""Samples as the database stores them: some seconds in one compressed block."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import orjson

from shared.observing.probe import Probe
from shared.observing.sample import Sample


def encode(samples: Sequence[Sample]) -> bytes:
    """The block of these samples."""
    names = sorted({name for sample in samples for name in sample.values})
    document: dict[str, Any] = {
        "at_us": [sample.at_us for sample in samples],
        "failed": [dict(sample.failed) for sample in samples],
        "values": {name: [sample.values.get(name) for sample in samples] for name in names},
    }
    if any(sample.probes for sample in samples):
        document["probes"] = [[probe.document() for probe in sample.probes] for sample in samples]
    return zlib.compress(orjson.dumps(document))


def decode(block: bytes) -> Iterator[Sample]:
    """The samples of a block."""
    document = orjson.loads(zlib.decompress(block))
    probes = document.get("probes") or repeat(())
    for number, (at_us, failed, sent) in enumerate(zip(document["at_us"], document["failed"], probes, strict=False)):
        values = {name: column[number] for name, column in document["values"].items() if column[number] is not None}
        yield Sample(at_us, values, failed, tuple(Probe.load(probe) for probe in sent))
