"""The events of a stored timeline, as exports show them."""

from shared.numbers.timeline import decode


def events_json(timeline: bytes) -> bytes:
    """A JSON array of `{offset_ms, kind, size}`, written at once: an object for each event would take long."""
    events = ",".join(
        f'{{"offset_ms":{event.offset_us / 1_000},"kind":"{event.kind.name.lower()}","size":{event.size}}}'
        for event in decode(timeline)
    )
    return f"[{events}]".encode()


def events_text(timeline: bytes) -> str:
    """`offset_ms:kind:size`, separated by spaces."""
    return " ".join(f"{event.offset_us / 1_000}:{event.kind.name.lower()}:{event.size}" for event in decode(timeline))
