"""Makes a failing answer smaller while it still fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.fuzz.sent import Sent

_MOST_TRIES = 4_000


def smallest(sent: Sent, fails: Callable[[Sent], bool]) -> Sent:
    """The smallest answer found that fails: fewer headers, one read, fewer bytes."""
    left = _MOST_TRIES
    better = True
    while better and left:
        better = False
        for candidate in _smaller(sent):
            left -= 1
            if fails(candidate):
                sent, better = candidate, True
                break
            if not left:
                break
    return sent


def _smaller(sent: Sent) -> Iterator[Sent]:
    if len(sent.reads) > 1:
        yield replace(sent, reads=((sent.reads[0][0], sent.body),))
    for index in range(len(sent.headers)):
        yield replace(sent, headers=sent.headers[:index] + sent.headers[index + 1 :])
    for changes in ({"slices": 1_000}, {"late_us": 0}, {"kernel": True}, {"end": "complete"}):
        if any(getattr(sent, name) != value for name, value in changes.items()):
            yield replace(sent, **changes)
    size = max((len(data) for _, data in sent.reads), default=0)
    while size:
        for index, (stamp_ns, data) in enumerate(sent.reads):
            for start in range(0, len(data), size):
                rest = data[:start] + data[start + size :]
                reads = ((stamp_ns, rest),) if rest else ()
                yield replace(sent, reads=sent.reads[:index] + reads + sent.reads[index + 1 :])
        size //= 2
