"""The file by which an `llmbench up` tells other commands in its folder where its server is."""

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cli.waiting import Deadline, pause

NAME = "llmbench.up"
_LONGEST = 10_000
# Readers of a stale file hold its lock for less than this.
_READING_S = 0.2


@dataclass(frozen=True, slots=True)
class Announced:
    """A server that is up in a folder. `url` is None while it starts. `database`: the digest of its DATABASE_URL."""

    pid: int
    url: str | None = None
    database: str | None = None


class Announcement:
    """Held by an `up` from its start to its end.

    The system frees the file's lock when the program ends, however that is. So a file without a lock is stale.
    """

    def __init__(self, folder: Path) -> None:
        """Announces that a server starts here. Does nothing if another one is announced, or without file locks."""
        self._path = folder / NAME
        self._file: int | None = _locked(self._path)
        self._write(Announced(os.getpid()))

    def ready(self, url: str, database: str) -> None:
        """The server answers at this URL."""
        self._write(Announced(os.getpid(), url, database))

    def withdraw(self) -> None:
        """The server is ending."""
        if self._file is not None:
            # Deleted while the lock is held: nobody else's file can be meant.
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def _write(self, said: Announced) -> None:
        if self._file is None:
            return
        text = json.dumps({"pid": said.pid, "url": said.url, "database": said.database}) + "\n"
        # One write: a reader sees the old text or the new one. The padding covers the old one.
        os.pwrite(self._file, text.encode().ljust(os.fstat(self._file).st_size), 0)


def announced(folder: Path) -> Announced | None:
    """The server that is up in the folder, or starts there; None if there is none."""
    try:
        file = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    except OSError:
        return None
    finally:
        os.close(file)
    return None  # stale: its program was killed


def digest(database_url: str) -> str:
    """Stands for a URL, which may hold a password."""
    return hashlib.sha256(database_url.encode()).hexdigest()[:16]


def _read(file: int) -> Announced:
    try:
        return Announced(**json.loads(os.pread(file, _LONGEST, 0)))
    except (ValueError, TypeError):
        return Announced(pid=0)  # just made, and not yet written


def _locked(path: Path) -> int | None:
    """The locked file, which is made if need be; None if another program has the lock."""
    deadline = Deadline(_READING_S)
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except BlockingIOError:
            if deadline.passed:
                os.close(file)
                return None
            pause(0.01)
        except FileNotFoundError:
            pass  # its owner has just deleted it
        except OSError:
            os.close(file)
            return None
        os.close(file)
