"""What a request that has ended costs: its known cost, nothing if it certainly cost nothing, else its worst case."""

from collections.abc import Callable

from shared.benchmark.results.record import ResultRecord
from shared.db.money.spend import Charge
from shared.money import micro_usd


def charge_of(record: ResultRecord, worst: Callable[[], int] | None) -> Charge:
    """`worst` gives the worst case of the request, in micro-dollars. None: no price is known.

    A request that was sent again on a new connection may have been answered on the old one, too.
    """
    sent_before = "connection_renewed" in record.flags
    sent = not _was_never_sent(record)
    requests = sent + sent_before
    if not requests:
        return Charge()
    known = _known(record) if sent else 0
    unknown = sent_before + (known is None)
    if worst is None:
        return Charge(known or 0, requests=requests, unpriced=unknown)
    bound = unknown * worst() if unknown else 0
    return Charge((known or 0) + bound, bound, requests)


def _was_never_sent(record: ResultRecord) -> bool:
    error = record.error
    # A measuring process that died may have sent it without a word.
    return record.outcome == "dropped" or (
        error is not None and error.phase == "connect" and error.kind != "engine_died"
    )


def _known(record: ResultRecord) -> int | None:
    """In micro-dollars; None if nobody knows."""
    if record.outcome == "succeeded":
        return None if record.cost_usd is None else micro_usd(record.cost_usd)
    # The server refused it before it worked on it.
    return 0 if record.error is not None and record.error.http_status is not None else None
