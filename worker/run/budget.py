"""What happens when a cap cannot pay for the next requests: the run waits for money of others, then stops."""

import asyncio
from collections.abc import Callable

from shared.budgets.cap_name import CapName
from shared.clock import Clock
from shared.db.money.reservations import Refusal
from shared.money import MOST_MICROS, usd_text
from worker.run.purse import Purse, Store

# How long a run waits for what other benchmarks have reserved and may not spend, and how often it looks.
WAIT_S = 10.0
LOOK_EVERY_S = 0.5


async def wait_for_money(
    purse: Purse,
    store: Store,
    clock: Clock,
    allow: Callable[[int], None],
    give_up: Callable[[Refusal], None],
    *,
    wait_s: float = WAIT_S,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Waits beside a run until it cannot send anything for want of money. Then tries again, or gives up and returns.

    By then nothing of its own is in flight, so only others can give money back: their worst cases are reserved, and
    most cost less. If it could not pay even then, or after `wait_s`, `give_up` is called with the cap. Until then,
    `allow` is called with each new mark. Raises LeaseLost.

    A run that measures whole loads gives up at once: a part of a load, or a pause, would show something else.
    """
    while True:
        await purse.starving.wait()
        begun_ns = clock.monotonic_ns()
        while purse.starving.is_set() and (refusal := purse.refusal) is not None:
            waited_s = (clock.monotonic_ns() - begun_ns) / 1e9
            if purse.whole_loads or not refusal.may_pass or waited_s >= wait_s:
                return give_up(refusal)
            await asyncio.sleep(look_every_s)
            mark = await purse.pay(store)
            if not purse.starving.is_set():
                allow(mark)


def stop_notice(refusal: Refusal) -> str:
    """Why the run stopped, for people: the cap and its amounts."""
    cap = refusal.cap
    if refusal.needed >= MOST_MICROS:
        why = "the next request has no max_tokens, so there is no bound for what it costs"
    else:
        why = f"the next request may cost up to {usd_text(refusal.needed)} USD"
    return (
        f"Sending stopped at {CapName.of(cap.key).words} ({cap.key}): of {usd_text(cap.cap)} USD, "
        f"{usd_text(cap.spent)} USD are spent and {usd_text(cap.reserved)} USD reserved, and {why}."
    )


def short_notice(results: int) -> str | None:
    """What a shortage of money did to the numbers, for people. None: nothing."""
    if not results:
        return None
    return (
        f"Results that came while the budget paid for fewer requests at a time than the load asks for: {results:,}. "
        "Their times are those of a smaller load."
    )
