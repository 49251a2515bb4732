"""An answer means the same wherever its reads are cut, as long as all have the same stamp."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shared.benchmark.results.record import ResultRecord
from tests.fuzz.sent import Sent, measure
from tests.support.flags import flags_of_answer
from tests.support.servers.scripted import cut

# One answer in so many is read again, if it is no longer than this.
_EVERY, _MOST_BYTES = 4, 2_000
_STAMP_NS = 1_000_000


def read_otherwise(sent: Sent) -> Iterator[str]:
    """What differs if the answer comes byte by byte. Without a proper end, the last line is not read."""
    if zlib.crc32(sent.name.encode()) % _EVERY or sent.end != "complete" or not 0 < len(sent.body) <= _MOST_BYTES:
        return
    at_once = _meaning(measure(replace(sent, reads=((_STAMP_NS, sent.body),))))
    bytewise = _meaning(measure(replace(sent, reads=tuple((_STAMP_NS, byte) for byte in cut(sent.body, 1)))))
    for name, value in at_once.items():
        # An answer that did not succeed says less.
        if (other := bytewise.get(name)) != value:
            yield f"cuts change the meaning: {name} is {value!r:.300} at once, {other!r:.300} byte by byte"


def _meaning(record: ResultRecord) -> dict[str, Any]:
    names = ["outcome", "error", "response", "reasoning"]
    flags: set[str] = set()
    # What else is read beyond a failure depends on the reads.
    if record.outcome == "succeeded":
        names += ["usage", "finish_reason", "served_model", "provider_cost_usd"]
        flags = set(flags_of_answer(record))
    return {**{name: getattr(record, name) for name in names}, "flags": flags}
