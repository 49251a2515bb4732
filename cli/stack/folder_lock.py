"""Lets one `llmbench up` at a time use a folder. The stack takes the lock before it migrates the folder's database."""

import os
import sys
from pathlib import Path

from cli.exits import CliError, ExitCode


class FolderLock:
    """A lock on the folder itself, which leaves no file. The system frees it when the program ends, however that is."""

    def __init__(self, folder: Path) -> None:
        """Raises CliError if another program has the lock."""
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return
        import fcntl

        self._descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise CliError(
                f"another `llmbench up` uses the database of the folder {folder.resolve()}",
                ExitCode.USAGE,
                ["use that one, end it, or name another folder with --data-dir"],
            ) from None
        except OSError:
            # Some network file systems have no locks.
            self.release()

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
