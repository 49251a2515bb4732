"""Whether a server keeps the connections that it promises to keep. All slots of a run ask the same object."""

# A server that keeps connections closes one in the moment of its use now and then, not several in a row.
MOST_RACES = 3


class KeepAlive:
    """Some servers, such as llama.cpp's, promise to keep a connection and close it after each answer.

    Every request over a kept connection would then be sent twice.
    """

    def __init__(self) -> None:
        self._races = 0

    @property
    def holds(self) -> bool:
        """Once it is False, it stays so, and every request goes out on a new connection."""
        return self._races < MOST_RACES

    def lost(self) -> None:
        """A kept connection was closed before a request reached the server."""
        self._races += 1

    def carried(self) -> None:
        """A kept connection carried a request."""
        if self.holds:
            self._races = 0
