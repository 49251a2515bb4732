"""When the segments of a run have measured, so that what lies between two of them is no time of the run."""

from collections.abc import Sequence


class MeasuredSpans:
    """Of each segment, by its fence: from its first send to its last end, in µs since the epoch.

    The fence is None where it is not known: older versions did not store it.
    """

    def __init__(self) -> None:
        self._spans: dict[int | None, tuple[int, int]] = {}

    def see(self, segment: int | None, begin_us: int, end_us: int) -> None:
        """The segment has measured within this time, and maybe before and after it."""
        first_us, last_us = self._spans.get(segment, (begin_us, end_us))
        self._spans[segment] = (min(first_us, begin_us), max(last_us, end_us))

    def merge(self, other: "MeasuredSpans") -> None:
        """Adds what another part of the same run has seen."""
        for segment, span in other._spans.items():
            self.see(segment, *span)

    @property
    def count(self) -> int:
        """How many segments have measured something."""
        return len(self._spans)

    @property
    def are_known(self) -> bool:
        """Whether it is known of all results which segment they belong to."""
        return None not in self._spans

    @property
    def seconds(self) -> float:
        """How long all segments have measured together."""
        return sum(end_us - begin_us for begin_us, end_us in self._spans.values()) / 1e6

    def document(self) -> list[list[int | None]]:
        """As JSON; `MeasuredSpans.load` reads it."""
        return [[segment, *span] for segment, span in self._spans.items()]

    @classmethod
    def load(cls, document: Sequence[Sequence[int]]) -> "MeasuredSpans":
        spans = cls()
        for segment, begin_us, end_us in document:
            spans.see(segment, begin_us, end_us)
        return spans
