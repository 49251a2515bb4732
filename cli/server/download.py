"""Writes what a server sends into a file or to stdout: as it arrives, and whole or not at all."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cli.exits import CliError, usage
from cli.server.client import Client, Download
from cli.terminal.output import QUIET, note
from cli.terminal.streams import drop
from shared.clock import monotonic_ns

# "-" as the name of a file.
STDOUT = Path("-")
# Time between two lines of progress.
_TELL_NS = 5_000_000_000


def check_target(target: Path, *, force: bool) -> None:
    """Raises CliError if the file cannot be written: before the server is asked for anything."""
    if target == STDOUT:
        return
    if target.is_dir():
        raise usage(f"{target} is a folder: name a file in it")
    if target.exists() and not force:
        raise usage(f"{target} exists: add --force to replace it, or name another file")
    if not target.absolute().parent.is_dir():
        raise usage(f"{target.absolute().parent} is not there")


def save(client: Client, path: str, params: dict[str, str], target: Path) -> int:
    """Bytes written. If anything fails, the file is what it was before."""
    with client.download(path, params) as download, _opened(target) as file:
        size = 0
        told_ns = monotonic_ns()
        for piece in download.pieces:
            try:
                file.write(piece)
            except BrokenPipeError:
                # Whoever reads stdout has seen enough.
                drop(sys.stdout)
                return size
            size += len(piece)
            if monotonic_ns() - told_ns > _TELL_NS:
                told_ns = monotonic_ns()
                note(_progress(size, download), QUIET)
        return size


def _progress(size: int, download: Download) -> str:
    of = "" if download.rows is None else f" of the file of {download.rows:,} rows"
    return f"{size / 1_000_000:,.1f} MB{of} so far"


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target, which takes its place at the end."""
    if target == STDOUT:
        yield sys.stdout.buffer
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.buffer.flush()
        return
    partial: Path | None = None
    try:
        if target.exists() and not target.is_file():
            # A device or a named pipe cannot be replaced.
            with target.open("wb") as file:
                yield file
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.absolute().parent)
        partial = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
        partial.chmod(_mode(target))
        partial.replace(target)
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise _cannot_write(target, exc) from exc
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """As if the file had been opened the usual way."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _cannot_write(target: Path, exc: OSError) -> CliError:
    return usage(f"cannot write {target}: {exc.strerror or exc}")
