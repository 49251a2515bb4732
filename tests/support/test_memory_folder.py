"""When tests write into memory."""

import os
from pathlib import Path

from tests.support.memory_folder import memory_folder


def test_a_folder_with_room_is_used(tmp_path: Path) -> None:
    assert memory_folder(tmp_path, room_bytes=1) == tmp_path


def test_a_folder_without_room_is_not_used(tmp_path: Path) -> None:
    assert memory_folder(tmp_path, room_bytes=2**62) is None


def test_a_folder_that_is_not_there_is_not_used(tmp_path: Path) -> None:
    assert memory_folder(tmp_path / "missing", room_bytes=1) is None


def test_a_folder_whose_programs_cannot_be_run_is_not_used(tmp_path: Path) -> None:
    """As in many containers."""

    def state_of(folder: Path) -> os.statvfs_result:
        values = list(os.statvfs(folder))
        values[8] |= os.ST_NOEXEC
        return os.statvfs_result(values)

    assert memory_folder(tmp_path, 1, state_of) is None
