"""What finish reasons mean: whole words of providers, and words that are understood by their parts."""

import pytest

from shared.protocols.finish_reasons import class_of


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ("stop end_turn eos eos_token tool_calls STOP FINISH_REASON_STOP COMPLETE stop_sequence", None),
        ("length max_tokens MAX_TOKENS max_output_tokens model_length context_length_exceeded", "cut_by_max_tokens"),
        ("max_length max_new_tokens FINISH_REASON_MAX_TOKENS max-tokens maxTokens token_limit", "cut_by_max_tokens"),
        ("model_context_window_exceeded ERROR_LIMIT", "cut_by_max_tokens"),
        ("content_filter SAFETY FINISH_REASON_SAFETY recitation SPII guardrail_intervened", "filtered"),
        ("data_inspection_failed ERROR_TOXIC content_moderated", "filtered"),
        ("error ERROR abort insufficient_system_resource MALFORMED_FUNCTION_CALL length_error", "failed"),
        ("refusal", "refused"),
        ("pause_turn", "paused"),
    ],
)
def test_a_finish_reason_has_a_class(reasons: str, expected: str | None) -> None:
    for reason in reasons.split():
        assert (reason, class_of(reason)) == (reason, expected)
