"""Counts tokens in a process of its own, one for each program, which starts when it is first needed.

A vocabulary takes up to a second to load, and meanwhile the library lets no other thread of its process run: an API
would answer nobody, and a worker would send late. The process ends with its program:
`python -m shared.workloads.vocabularies` reads calls from its input until that is closed.
"""

import atexit
import subprocess
import sys
import threading
from typing import IO

import msgspec

_LENGTH_BYTES = 4


class _Call(msgspec.Struct, array_like=True, frozen=True):
    """Count the texts, or cut each after so many tokens."""

    encoding: str
    texts: list[str]
    cut_to: int | None = None


class _Reply(msgspec.Struct, array_like=True, frozen=True):
    counts: list[int]
    cut: list[str]


class Vocabularies:
    """The process. Several threads may call; one is served after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def count(self, encoding: str, texts: list[str]) -> list[int]:
        """The tokens of each text. `encoding` is a name of the library."""
        return self._ask(_Call(encoding, texts)).counts

    def cut(self, encoding: str, text: str, tokens: int) -> str:
        """The longest beginning of the text with at most so many tokens."""
        return self._ask(_Call(encoding, [text], tokens)).cut[0]

    def close(self) -> None:
        """Ends the process. The next call starts another one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()

    def _ask(self, call: _Call) -> _Reply:
        with self._lock:
            try:
                return self._exchange(call)
            except (OSError, EOFError):
                # Something ended it. Another one knows as much.
                self._process = None
                return self._exchange(call)

    def _exchange(self, call: _Call) -> _Reply:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "shared.workloads.vocabularies"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C in a terminal is for the program, which closes the pipe.
                start_new_session=True,
            )
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise OSError("the process has no pipes")
        _write(asked, msgspec.msgpack.encode(call))
        return msgspec.msgpack.decode(_read(answers), type=_Reply)


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """One message. Raises EOFError if the other side has ended."""
    head = stream.read(_LENGTH_BYTES)
    data = stream.read(int.from_bytes(head, "little")) if len(head) == _LENGTH_BYTES else b""
    if not data:
        raise EOFError("the process has ended")
    return data


def _serve(calls: IO[bytes], replies: IO[bytes]) -> None:
    import toktok

    while True:
        try:
            call = msgspec.msgpack.decode(_read(calls), type=_Call)
        except EOFError:
            return
        if call.cut_to is None:
            reply = _Reply(toktok.batch_count(call.texts, call.encoding, threads=1), [])
        else:
            reply = _Reply([], [toktok.truncate(text, call.cut_to, call.encoding)[0] for text in call.texts])
        _write(replies, msgspec.msgpack.encode(reply))


VOCABULARIES = Vocabularies()
atexit.register(VOCABULARIES.close)

if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
