"""The registry of flags: everything unusual that a result may say about its answer, and what it does to the numbers.

Each flag of a result is counted in the summary's `flags`. Those that are oddities of the provider's stream are also its
findings in `conformance`, with their effect. docs/metrics.md has the table.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """`meaning`: what was seen. `effect`: what it does to the numbers. `oddity`: the provider's stream is unusual."""

    name: str
    meaning: str
    effect: str
    oddity: bool = False


FLAGS = {
    flag.name: flag
    for flag in (
        # How the answer ended.
        Flag(
            name="cut_by_max_tokens",
            meaning="The answer was cut off at `max_tokens` or at the model's context window",
            effect="It counts as succeeded; `output_tokens` and latency are those of the limit, not of a whole answer",
        ),
        Flag(
            name="refused",
            meaning="The model refused to answer",
            effect="It counts as succeeded; its text and tokens are those of the refusal",
        ),
        Flag(
            name="filtered",
            meaning="A content filter of the provider stopped the answer",
            effect="It counts as succeeded; the answer may be shorter than the model's",
        ),
        Flag(
            name="paused",
            meaning="The provider paused a long turn and expects to be called again",
            effect="It counts as succeeded; the answer is a part of the turn",
        ),
        Flag(
            name="no_answer",
            meaning="It ended without visible text or a tool call, for example because reasoning used up `max_tokens`",
            effect="It counts as succeeded; `ttfat_ms` is null",
        ),
        # Speed.
        Flag(
            name="buffered",
            meaning="The answer came at once or in a burst, so its arrival does not show how fast it was generated",
            effect="`tokens_per_second` and `tpot_ms` are null; `ttft_ms` is the time of the burst",
            oddity=True,
        ),
        Flag(
            name="reasoning_hidden",
            meaning="The provider billed reasoning that it did not show, or of which it showed a summary",
            effect="`ttft_ms` includes the hidden reasoning; speed counts visible tokens alone, and is null if their "
            "number is unknown",
            oddity=True,
        ),
        Flag(
            name="think_tags",
            meaning="The model wrote its reasoning into the content, between tags such as `<think>`. The first one may "
            "stand in the prompt",
            effect="None: text and tags count as reasoning, and `ttfat_ms` is that of the answer after them",
            oddity=True,
        ),
        Flag(
            name="prompt_cached",
            meaning="At least 5 % of the input was read from a prompt cache",
            effect="`ttft_ms` and `latency_ms` are those of cache hits; warm-up or repetitions may have filled it",
        ),
        Flag(
            name="ttft_doubtful",
            meaning="The first token lay unread with later ones for more than 1 ms",
            effect="It may have arrived that much earlier",
        ),
        # Usage.
        Flag(
            name="usage_missing",
            meaning="The provider reported no output tokens",
            effect="Tokens, speed and cost are null",
            oddity=True,
        ),
        Flag(
            name="usage_contradictory",
            meaning="The reported tokens contradict what arrived, for example text but zero output tokens",
            effect="Those counts are null, and so are the cost and the speed that need them",
            oddity=True,
        ),
        Flag(
            name="usage_out_of_range",
            meaning="A reported count is negative, not a whole number, or larger than any answer",
            effect="That count is null, and so are the cost and the speed that need it",
            oddity=True,
        ),
        Flag(
            name="usage_misplaced",
            meaning="The usage stood at an unusual place in the stream",
            effect="None: it was read there",
            oddity=True,
        ),
        Flag(
            name="usage_decreased",
            meaning="A later usage report said less than an earlier one",
            effect="None: counts of a stream never shrink, so the larger one counts",
            oddity=True,
        ),
        Flag(
            name="usage_beside_completion",
            meaning="Reasoning tokens stood beside the completion tokens, not inside them",
            effect="None: `output_tokens` includes them, as the reported total says",
            oddity=True,
        ),
        Flag(
            name="max_tokens_ignored",
            meaning="The answer has more output tokens than `max_tokens` allows",
            effect="It is longer than asked for",
            oddity=True,
        ),
        # What was served.
        Flag(
            name="served_model_differs",
            meaning="The answer names another model than was asked for",
            effect="The cost is that of the served model, or null if its price is unknown. A name that is not a "
            "model's, such as a deployment or a file, does not change the cost; nor does it where the endpoint has "
            "`prices`",
            oddity=True,
        ),
        Flag(
            name="service_tier_differs",
            meaning="The answer was served in another service tier than was asked for",
            effect="The cost is that of the served tier, or null if its price is unknown; where the endpoint has "
            "`prices`, those apply",
            oddity=True,
        ),
        # The stream.
        Flag(
            name="not_streamed",
            meaning="The server sent the whole answer at once, although a stream was asked for",
            effect="TTFT and latency are the time of the whole answer; speed is null",
            oddity=True,
        ),
        Flag(
            name="mislabelled",
            meaning="The body is not what its content type says",
            effect="None: the body decides how it is read",
            oddity=True,
        ),
        Flag(
            name="events_unseparated",
            meaning="Events followed each other without a blank line between them",
            effect="None: each JSON document on a `data` line is an event",
            oddity=True,
        ),
        Flag(
            name="bare_json",
            meaning="A JSON document stood in the stream outside a `data` line",
            effect="None: it was read as an event",
            oddity=True,
        ),
        Flag(
            name="keep_alive_data",
            meaning="Keep-alives were sent as data, not as comments",
            effect="None: they are neither tokens nor signs of life",
            oddity=True,
        ),
        Flag(
            name="compressed",
            meaning="The answer was compressed, although an uncompressed one was asked for",
            effect="Events of one compressed block share a stamp, so gaps and speed are less exact",
            oddity=True,
        ),
        Flag(
            name="no_terminal_event",
            meaning="The stream ended after a finish reason, but without the protocol's end event",
            effect="None: the finish reason shows that the answer is complete",
            oddity=True,
        ),
        Flag(
            name="sent_after_end",
            meaning="The server sent more after the end of the answer",
            effect="None: what follows the end is ignored, except for usage",
            oddity=True,
        ),
        Flag(
            name="left_open",
            meaning="The server kept the response open after the end of the answer",
            effect="`stream_close_ms` is null; the next request needs a new connection",
            oddity=True,
        ),
        # Text.
        Flag(
            name="invalid_utf8_replaced",
            meaning="The answer held bytes that are not UTF-8",
            effect="They are stored as U+FFFD",
            oddity=True,
        ),
        Flag(
            name="unstorable_text_replaced",
            meaning="The answer held characters that a database cannot store",
            effect="They are stored as U+FFFD",
            oddity=True,
        ),
        Flag(
            name="text_cut",
            meaning="The text of the answer is longer than what is stored",
            effect="The stored text is cut; the numbers are those of the whole answer",
        ),
        # The connection.
        Flag(
            name="connection_renewed",
            meaning="The server had closed the kept connection, so the request was sent again over a new one",
            effect="The times are those of the second attempt; the first counts in `possible_duplicates`",
        ),
        Flag(
            name="possible_duplicate",
            meaning="An earlier attempt may have reached the server and may have been billed",
            effect="Its cost is not part of `cost`; the summary's `possible_duplicates` has it",
        ),
    )
}
