"""The error that fails a benchmark as a whole."""


class CannotRun(Exception):
    """The benchmark fails; `kind` and `message` go into its `error`."""

    def __init__(self, kind: str, message: str, *, sum_up: bool = False) -> None:
        """`sum_up`: store a summary of the results so far. Not after crashes: the summary may have caused them."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sum_up = sum_up
