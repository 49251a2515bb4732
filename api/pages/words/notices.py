"""What a page says after an action. The action redirects with a code in the URL; here are the words for each code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PARAMETER = "notice"
Code = Literal[
    "started",
    "started-before",
    "rerun",
    "demo",
    "cancelled",
    "cancelling",
    "ended-before",
    "deleted",
    "webhook-enabled",
    "webhook-disabled",
    "webhook-deleted",
    "webhook-tested",
    "redelivered",
    "logged-out",
    "key-revoked",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone`: `good` if it was done, `bad` if it was not, empty if there was nothing to do."""

    text: str
    tone: Literal["good", "bad", ""] = "good"


# Only these words appear: a link cannot make a page say anything else.
NOTICES: Mapping[Code, Notice] = {
    "started": Notice("The benchmark was stored. A worker starts it as soon as one is free."),
    "started-before": Notice("This form was sent before. Here is the benchmark that it started.", ""),
    "rerun": Notice("The same benchmark was stored again. A worker starts it as soon as one is free."),
    "demo": Notice("The demo was stored. It sends 40 requests to the simulator and costs nothing."),
    "cancelled": Notice("The benchmark was cancelled. Its results so far stay."),
    "cancelling": Notice("The benchmark is being cancelled: its worker closes the streams. Its results so far stay."),
    "ended-before": Notice("The benchmark had ended already, so nothing was cancelled.", ""),
    "deleted": Notice("The benchmark and its results were deleted."),
    "webhook-enabled": Notice("The webhook is on. Deliveries that are due are sent now."),
    "webhook-disabled": Notice("The webhook is off. Nothing more is sent to it."),
    "webhook-deleted": Notice("The webhook and its deliveries were deleted."),
    "webhook-tested": Notice("A test event is on its way. Its delivery is the first one below."),
    "redelivered": Notice("The event is sent again, with the same id."),
    "logged-out": Notice("You are logged out."),
    "key-revoked": Notice("The key was revoked. It is refused from now on, and its logins have ended."),
}


def notice_of(code: str | None) -> Notice | None:
    """None for an unknown code."""
    return next((notice for name, notice in NOTICES.items() if name == code), None)
