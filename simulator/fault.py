"""A fault that an answer carries, as data: what goes wrong, and after how many content events."""

import re
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    ERROR = "err"  # an error response instead of an answer
    MID_ERROR = "miderr"  # an error event inside the stream
    END = "end"  # the body ends properly, the terminal event never came
    FIN = "fin"  # the connection is closed in mid-body
    RST = "rst"  # the connection is reset in mid-body
    HANG = "hang"  # no more bytes
    HANG_HEAD = "hanghead"  # not even headers
    COMMENTS = "comments"  # only `: keep-alive` comments
    ENDLESS = "endless"  # tokens for ever


@dataclass(frozen=True, slots=True)
class Fault:
    """`after` counts content events (END, FIN, RST, HANG, MID_ERROR); `status` and `variant` belong to ERROR."""

    name: str
    kind: FaultKind
    after: int = 0
    status: int = 0
    variant: str = ""


_NAMED = {
    fault.name: fault
    for fault in (
        Fault("err400", FaultKind.ERROR, status=400),
        Fault("err401", FaultKind.ERROR, status=401),
        Fault("err404", FaultKind.ERROR, status=404),
        Fault("err429", FaultKind.ERROR, status=429),
        Fault("err429date", FaultKind.ERROR, status=429, variant="date"),
        Fault("err429hour", FaultKind.ERROR, status=429, variant="hour"),
        Fault("err429bare", FaultKind.ERROR, status=429, variant="bare"),
        Fault("err500", FaultKind.ERROR, status=500),
        Fault("err503", FaultKind.ERROR, status=503),
        Fault("err529", FaultKind.ERROR, status=529),
        Fault("errhtml502", FaultKind.ERROR, status=502, variant="html"),
        Fault("err200", FaultKind.ERROR, status=200),
        Fault("hanghead", FaultKind.HANG_HEAD),
        Fault("comments", FaultKind.COMMENTS),
        Fault("endless", FaultKind.ENDLESS),
    )
}
_COUNTED = re.compile(r"(miderr|end|fin|rst|hang)(\d{1,7})", re.ASCII)


def parse_fault(text: str) -> Fault | None:
    """The fault that `text` names (`err429date`, `rst5`, …), None when it names none."""
    named = _NAMED.get(text)
    if named is not None:
        return named
    counted = _COUNTED.fullmatch(text)
    if counted is None:
        return None
    return Fault(text, FaultKind(counted[1]), after=int(counted[2]))


def fault_names() -> list[str]:
    """Every fault as the grammar writes it, `N` for a count; for help texts."""
    return [*_NAMED, "miderrN", "endN", "finN", "rstN", "hangN"]
