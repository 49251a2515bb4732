"""A JSON document that lies on several lines, as far as it has come. `SseParser` reads such documents."""

# How much is parsed in vain of a JSON document that is not whole yet: so many characters, and so many times its size.
_FREE, _TIMES = 100_000, 8


class Tries:
    """Says whether to try to parse a document that grows. All tries together take time in proportion to its size."""

    def __init__(self) -> None:
        self._spent = 0

    def allow(self, size: int) -> bool:
        """Whether a try is allowed at this size. It counts as one in vain."""
        if self._spent > _FREE + _TIMES * size:
            return False
        self._spent += size
        return True


class OpenDocument:
    """Lines that may be a document together. The first one says whether they can be."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0
        self._tries = Tries()

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.size += len(line) + 1

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_json(self) -> bool:
        return bool(self.lines) and self.lines[0].startswith(("{", "["))

    @property
    def may_end(self) -> bool:
        """Whether its last line may end the document. True counts as a try to parse it."""
        return self.lines[-1].rstrip().endswith(("}", "]")) and self._tries.allow(self.size)
