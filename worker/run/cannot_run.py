"""Why a benchmark fails before or instead of being measured."""


class CannotRun(Exception):
    """The benchmark fails as a whole: `kind` and message go into its `error`."""

    def __init__(self, kind: str, message: str, *, sum_up: bool = False) -> None:
        """`sum_up`: what was measured before gets its summary. Not after crashes: it may be what they came from."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sum_up = sum_up
