"""Columns of exports: complete, defined, and with their units in their names."""

from shared.db.tables.benchmarks import Result
from shared.exports.columns import PART_COLUMNS, columns_with
from shared.numbers.metrics import STORED

NAMES = [column.name for column in columns_with(tuple(PART_COLUMNS))]
# Units of numbers, and how their columns end.
ENDINGS = {"ms": "_ms", "ms/token": "_ms", "tokens": "_tokens", "tokens/s": "_per_second", "USD": "_usd", "s": "_s"}


def test_every_stored_column_of_a_result_is_exported() -> None:
    stored = {column.name for column in Result.__table__.c} - {"error"}
    assert stored <= set(NAMES)
    assert set(STORED) <= set(NAMES)


def test_names_are_unique_and_say_their_units() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for column in columns_with(()):
        if column.unit in ENDINGS:
            assert column.name.endswith(ENDINGS[column.unit])


def test_no_column_is_renamed_or_removed() -> None:
    """Add new ones here. Files of users depend on the others."""
    assert set(NAMES) >= {
        *("benchmark_id", "id", "prompt_index", "repetition", "warmup", "stage", "turn", "outcome"),
        *("scheduled_at", "sent_at", "ended_at", "queue_ms", "connect_ms", "tls_ms", "ttfb_ms", "ttft_ms", "ttfat_ms"),
        *("latency_ms", "stream_close_ms", "tpot_ms", "tokens_per_second", "max_stall_ms", "input_tokens"),
        *("total_input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens"),
        *("cache_write_1h_tokens", "cost_usd", "provider_cost_usd", "connection_reused", "token_source"),
        *("served_model", "service_tier", "system_fingerprint", "finish_reason", "error_kind", "error_phase"),
        *("error_http_status", "error_provider_code", "error_retry_after_s", "error_message", "flags"),
        *("provider_request_id", "prompt", "response", "reasoning", "timeline"),
    }
