"""JSON Lines have the names and values of the columns."""

import json
from decimal import Decimal

from shared.exports import json_lines
from shared.numbers.timeline import EventKind, TimelineEvent, encode
from tests.shared.exports.rows import ALL_PARTS, AT, table


def test_each_row_is_an_object_with_every_column() -> None:
    timeline = encode([TimelineEvent(1_500, EventKind.CONTENT, 6)])
    columns, cells = table(
        {"response": "=1", "flags": '["buffered"]', "cost_usd": Decimal("0.00001075"), "timeline": timeline},
        {"response": 'a"\n'},
        parts=ALL_PARTS,
    )
    first, second = map(json.loads, json_lines.lines(columns, cells).splitlines())
    assert list(first) == [column.name for column in columns]
    assert (first["response"], second["response"]) == ("=1", 'a"\n')
    assert (first["flags"], first["cost_usd"], second["cost_usd"]) == (["buffered"], 0.00001075, None)
    assert first["timeline"] == [{"offset_ms": 1.5, "kind": "content", "size": 6}]
    assert (first["warmup"], first["sent_at"], second["timeline"]) == (False, AT, None)
