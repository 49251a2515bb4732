"""How far a provider's count of tokens is from that of the offline tokenizer. A run learns it from its results."""

# Fewer results say nothing.
_LEAST_RESULTS = 3


class LearntFactor:
    """How many tokens the provider reports for each one that the tokenizer counts."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._results = 0

    def add(self, estimated: int, reported: int | None) -> None:
        """A result: the tokenizer's count of its input, and the provider's. Without both it says nothing."""
        if reported is not None and reported > 0 and estimated > 0:
            self._sum += reported / estimated
            self._results += 1

    @property
    def value(self) -> float | None:
        """Mean of reported ÷ estimated. None before 3 results."""
        return self._sum / self._results if self._results >= _LEAST_RESULTS else None
