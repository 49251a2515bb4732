"""Where tests write their files: in memory where there is room, so that no test waits for a slow disk.

SQLite waits for the disk at each commit. While another program writes gigabytes, one commit can take seconds.
"""

import os
from collections.abc import Callable
from pathlib import Path

# All parts of the suite together need about a quarter of it.
ROOM_BYTES = 4 * 2**30


def memory_folder(
    folder: Path = Path("/dev/shm"),
    room_bytes: int = ROOM_BYTES,
    state_of: Callable[[Path], os.statvfs_result] = os.statvfs,
) -> Path | None:
    """The folder if so much fits into it and programs in it can be run; else None."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return None
    state = state_of(folder)
    has_room = state.f_bavail * state.f_frsize >= room_bytes
    return folder if has_room and not state.f_flag & os.ST_NOEXEC else None
