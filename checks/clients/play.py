"""Installs a generator, generates a client, and runs a program that uses it. Says what could not be run."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from checks.clients.kinds import INSTALLED, Command, Kind
from checks.report import not_run

TIMEOUT_S = 300
STAMP = "installed-from"

# (command, folder) → (exit code, what it wrote)
Run = Callable[[Command, Path], tuple[int, str]]
Find = Callable[[str], str | None]


def run(command: Command, folder: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return 1, str(exc)
    return done.returncode, done.stdout


def play_all(
    kinds: Sequence[Kind],
    document: Path,
    url: str,
    work: Path,
    *,
    installed: Path = INSTALLED,
    run: Run = run,
    find: Find = shutil.which,
) -> int:
    """Plays every kind of client; 1 if one does not work. One that cannot be installed is named and left out."""
    code = 0
    for kind in kinds:
        folder, beside = installed / kind.name, work / kind.name
        problem = install(kind, folder, run, find)
        if problem is not None:
            not_run(f"clients-{kind.name}", problem)
            continue
        beside.mkdir(parents=True)
        for source in kind.sources:
            shutil.copy(source, beside)
        modules = folder / "node_modules"
        if modules.exists():
            (beside / "node_modules").symlink_to(modules)
        for command in [*kind.generate(folder, beside, document), kind.play(folder, url)]:
            failed, text = run(command, beside)
            if failed:
                sys.stderr.write(f"clients: {' '.join(command)} failed with exit code {failed}\n{text}\n")
                code = 1
                break
        else:
            sys.stdout.write(text)
    return code


def install(kind: Kind, folder: Path, run: Run, find: Find) -> str | None:
    """Installs what the lock file names, unless that is done. Returns why it could not be installed."""
    wanted = hashlib.sha256(kind.lock.read_bytes()).hexdigest()
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return None
    if kind.program is not None and find(kind.program) is None:
        return f"{kind.program} is not installed"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in (*kind.sources, kind.lock):
        shutil.copy(source, folder)
    for command in kind.install(folder):
        failed, text = run(command, folder)
        if failed:
            return f"its generator cannot be installed: {_last_line(text)}"
    stamp.write_text(wanted)
    return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no word why"
