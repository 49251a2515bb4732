"""Makes the record of a request that has ended: its metrics, its usage as far as it can be true, its flags."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.benchmark.results.observe import epoch_us, gaps_of, tokens_of
from shared.benchmark.results.outcome import Outcome
from shared.benchmark.results.record import RequestError, ResultRecord, Usage
from shared.numbers.formulas import RequestFacts
from shared.numbers.metrics import compute
from shared.numbers.timeline import EventKind, encode
from shared.protocols.events import AnswerFacts, HiddenReasoning
from shared.protocols.finish_reasons import class_of
from shared.protocols.usage import without_contradictions
from shared.text import replace_unstorable
from worker.engine.answer import Answer
from worker.engine.messages import Began
from worker.engine.planned import MeasureContext, PlannedRequest

MAX_ERROR = 2_000
# The most characters of a code, a name or an id of the server.
MAX_WORD = 200
# Prose and code have three to five bytes a token. Digits and rare scripts may have one, but then nearly every token has
# an event of its own, and a summary has few. Servers may also count the tags and line breaks around reasoning, which
# they do not show.
LEAST_BYTES, MOST_AN_EVENT = 1.5, 2
MOST_MARKS = 16


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a request that has ended. Stamps are monotonic ns.

    `sent_ns`: when its first byte went out; if it was never sent, when it was begun. `answer`: None if there was none
    with a status of 2xx. `network_rtt_ns`: round trip of its connection; None if the kernel did not tell.
    """

    request: PlannedRequest
    outcome: Outcome
    error: RequestError | None
    scheduled_ns: int
    sent_ns: int
    ended_ns: int
    began: Began | None
    headers: Mapping[str, str]
    answer: Answer | None
    doubtful: bool
    left_open: bool
    network_rtt_ns: int | None = None
    send_delay_ns: int = 0

    @property
    def connect_ms(self) -> float | None:
        """DNS + TCP + TLS, in ms; None if the connection was reused or never made."""
        began = self.began
        if began is None or not began.new_connection or began.connected_ns is None:
            return None
        return (began.connected_ns - began.started_ns) / 1e6


def record_of(ended: Ended, context: MeasureContext) -> ResultRecord:
    request, began, answer, clock = ended.request, ended.began, ended.answer, context.clock
    said = answer.facts if answer is not None else AnswerFacts()
    usage, contradictory = Usage(), False
    if answer is not None:
        usage, contradictory = without_contradictions(answer.usage, text_arrived=answer.token_seen)
    hidden = _hidden_tokens(answer, usage)
    visible = None if usage.output_tokens is None or hidden is None else max(0, usage.output_tokens - hidden)
    timeline = list(answer.timeline) if answer is not None else []
    facts = RequestFacts.of(timeline, usage.output_tokens, visible)
    response, reasoning, flags = answer.texts() if answer is not None else (None, None, set())
    flags |= said.flags | _flags(ended, usage, facts)
    if contradictory:
        flags.add("usage_contradictory")
    if hidden != 0:
        flags.add("reasoning_hidden")
    error = ended.error
    if error is not None:
        message = replace_unstorable(error.message)[0][:MAX_ERROR]
        error = replace(error, message=message, provider_code=_storable(error.provider_code))
    sent_at = clock.at(ended.sent_ns)
    return ResultRecord(
        id=request.id,
        prompt_index=request.prompt_index,
        repetition=request.repetition,
        warmup=request.warmup,
        outcome=ended.outcome,
        scheduled_at=clock.at(ended.scheduled_ns),
        sent_at=sent_at,
        ended_at=clock.at(ended.ended_ns),
        connection_reused=began is not None and began.sent_ns is not None and not began.new_connection,
        metrics={
            "queue_ms": max(0, ended.sent_ns - ended.scheduled_ns) / 1e6,
            "connect_ms": ended.connect_ms,
            "tls_ms": began.tls_ms if began is not None else None,
            **compute(facts),
        },
        usage=usage,
        finish_reason=_storable(answer.finish_reason if answer is not None else None),
        error=error,
        flags=sorted(flags),
        response=response,
        reasoning=reasoning,
        provider_request_id=_storable(ended.headers.get("request-id") or ended.headers.get("x-request-id") or said.id),
        timeline=encode(timeline) if context.keep_timeline else None,
        served_model=_storable(said.model),
        service_tier=_storable(said.service_tier),
        system_fingerprint=_storable(said.system_fingerprint),
        provider_cost_usd=said.provider_cost_usd,
        # Computed here, in the decoding thread, so that long answers do not hold up the worker's loop.
        gaps_ms=gaps_of(facts.token_us),
        tokens_over_time=tokens_of(facts.token_us, epoch_us(sent_at), usage.output_tokens),
        network_rtt_ms=None if ended.network_rtt_ns is None else ended.network_rtt_ns / 1e6,
        send_delay_ms=None if began is None or began.sent_ns is None else ended.send_delay_ns / 1e6,
    )


def _hidden_tokens(answer: Answer | None, usage: Usage) -> int | None:
    """Output tokens of reasoning that was billed and not shown; 0 if there were none, None if nobody knows how many."""
    if answer is None:
        return 0
    hidden, reasoning, shown = answer.facts.hidden_reasoning, usage.reasoning_tokens, answer.reasoning_shown
    if hidden is HiddenReasoning.NONE or (hidden is HiddenReasoning.SUMMARY and not reasoning):
        if shown:
            return None if reasoning and _says_too_little(answer, reasoning) else 0
        return None if usage.reasoning_unknown else reasoning or 0
    # If a part of it was shown, or it went on within the visible span, nobody knows how much of it was within.
    return reasoning if hidden is HiddenReasoning.BEFORE and not shown else None


def _says_too_little(answer: Answer, reasoning_tokens: int) -> bool:
    """Whether the reasoning that was shown is too short for its tokens, so that it is only a part or a summary."""
    if reasoning_tokens <= answer.reasoning_length / LEAST_BYTES + MOST_MARKS:
        # Nearly always: no character is less than a byte, and a timeline may be long.
        return False
    sizes = [event.size for event in answer.timeline if event.kind is EventKind.REASONING]
    return reasoning_tokens > max(sum(sizes) / LEAST_BYTES, len(sizes) * MOST_AN_EVENT) + MOST_MARKS


def _flags(ended: Ended, usage: Usage, facts: RequestFacts) -> set[str]:
    """Flags beside those that the decoder has set and those about the text."""
    answer, output, most = ended.answer, usage.output_tokens, ended.request.max_tokens
    succeeded = ended.outcome == "succeeded"
    told = {
        "connection_renewed": ended.began is not None and ended.began.renewed > 0,
        "ttft_doubtful": ended.doubtful,
        "buffered": facts.buffered,
        "left_open": ended.left_open,
        "no_terminal_event": succeeded and answer is not None and answer.done_ns is None,
        "no_answer": succeeded and answer is not None and not answer.answered,
        "usage_missing": succeeded and output is None,
        "max_tokens_ignored": most is not None and output is not None and output > most,
    }
    flags = {flag for flag, holds in told.items() if holds}
    ending = class_of(answer.finish_reason) if answer is not None and succeeded else None
    return flags if ending is None else flags | {ending}


def _storable(text: str | None) -> str | None:
    """A word of the server as it can be stored."""
    return replace_unstorable(text)[0][:MAX_WORD] if text else None
