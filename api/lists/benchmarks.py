"""How a list of benchmarks is asked for: its filters and cursors. The API's list and the list page use this."""

from datetime import UTC, datetime

from api.lists.cursor import decode_cursor, encode_cursor, wrong_cursor
from api.schemas.benchmark_queries import BenchmarkFilters
from shared.db.benchmarks.pages import BenchmarkFilter, Position


def filter_of(query: BenchmarkFilters) -> BenchmarkFilter:
    return BenchmarkFilter(
        status=query.status,
        model=query.model,
        provider=query.provider,
        name_contains=query.name,
        rerun_of=query.rerun_of,
        metadata=query.metadata,
        created_from=query.created_from,
        created_before=query.created_before,
    )


def cursor_of(place: Position, where: BenchmarkFilter) -> str:
    """The place as `position_of` reads it, for a list with these filters."""
    if not where.by_time:
        return encode_cursor(place.id)
    # A search in names may end between benchmarks, at a place without a time.
    return encode_cursor(place.id, place.created_at.isoformat() if place.created_at else "")


def position_of(cursor: str, where: BenchmarkFilter) -> Position:
    """Raises InvalidRequest for a cursor that no list with these filters gave."""
    if not where.by_time:
        return Position(decode_cursor(cursor, int)[0])
    benchmark_id, created_at = decode_cursor(cursor, int, str)
    if not created_at:
        return Position(benchmark_id)
    try:
        return Position(benchmark_id, datetime.fromisoformat(created_at).astimezone(UTC))
    except (ValueError, OverflowError):
        raise wrong_cursor() from None
