"""Plays commands in a terminal and keeps what a person sees, in docs/captures: `make captures`.

Each command runs in tmux at 80 and at 60 columns, against the simulator of an isolated stack. Some screens are kept
with their colours too, on a dark and on a light ground.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from checks.report import not_run
from checks.terminal_picture import GROUNDS, picture
from cli.server.client import Client
from cli.stack import EmbeddedStack
from cli.waiting import Deadline, pause
from shared.benchmark.derived_name import derived_name
from shared.benchmark.status import TERMINAL

FOLDER = Path("docs/captures")
WIDTHS = (80, 60)
_ROWS = 70
_PATIENCE_S = 60.0
_END = "[ended]"
_CANCELLED = "sim-ttft3000"
_PROMPTS = tuple(f"Question {number}: name a river." for number in range(8))
# Nothing listens there.
_DEAD = '[{"name": "my-server", "protocol": "openai", "base_url": "http://127.0.0.1:9/v1"}]'


@dataclass(frozen=True, slots=True)
class Scene:
    """A command to play. `until`: capture when this is on the screen; None: when it has ended."""

    name: str
    command: str
    until: str | None = None
    coloured: bool = False


SCENES = (
    Scene("help", "llmbench --help"),
    Scene("list", "llmbench list", coloured=True),
    Scene("show", "llmbench show 1", coloured=True),
    Scene("results", "llmbench show 2 --results"),
    Scene("failed", "llmbench show 3"),
    Scene("cancelled", "llmbench show 4"),
    Scene("open-loop", "llmbench show 5"),
    Scene("stages", "llmbench show 6"),
    Scene("providers", "llmbench providers"),
    Scene("models", "llmbench models haiku --limit 4"),
    Scene("workers", "llmbench workers"),
    # Last, because its benchmark would stand in the list.
    Scene("progress", "llmbench run -m sim-ttft400 -p hi -n 200 -c 4", until=" left"),
)


def main() -> int:
    if shutil.which("tmux") is None:
        not_run("captures", "tmux is not installed")
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with EmbeddedStack(isolated=True, settings={"PROVIDERS": _DEAD}) as stack:
        _prepare(stack.url)
        for scene in SCENES:
            for width in WIDTHS:
                _play(scene, width, stack.url)
    (FOLDER / "README.md").write_text("\n".join(_page()), encoding="utf-8")
    sys.stdout.write(f"{len(list(FOLDER.iterdir()))} captures in {FOLDER}\n")
    return 0


def _prepare(url: str) -> None:
    """The benchmarks 1 to 6 that the scenes show."""
    prompts = list(_PROMPTS)
    loads: tuple[dict[str, Any], ...] = (
        {"model": "claude-3-haiku-20240307", "prompts": prompts, "repetitions": 50, "concurrency": 10, "warmup": 2},
        {"model": "sim-ttft50-gap5-n20-err429-every10", "prompts": prompts[:2], "repetitions": 5, "concurrency": 4},
        {"model": "llama3.2", "provider": "my-server", "prompts": prompts[:1], "repetitions": 5, "concurrency": 4},
        {"model": _CANCELLED, "prompts": prompts[:1], "repetitions": 20, "concurrency": 4},
        {"model": "sim-ttft30-gap5-n20", "prompts": prompts, "repetitions": 10, "request_rate": 40},
        # Its capacity is 40 requests/s.
        {"model": "sim-slots8-ttft50-gap5-n31", "prompts": prompts, "slos": {"ttft_ms": 500}, "load": _stages()},
    )
    with Client(url) as client:
        for load in loads:
            number = client.submit({"name": derived_name(load), **load})["id"]
            if load["model"] == _CANCELLED:
                _wait(partial(_has, client, number, {"running"}))
                pause(1.0)  # its first requests are in flight
                client.cancel(number)
            _wait(partial(_has, client, number, TERMINAL))


def _stages() -> dict[str, Any]:
    rates = {"morning": 10, "peak": 60, "evening": 20}
    stages = [{"name": name, "request_rate": rate, "duration_s": 5} for name, rate in rates.items()]
    return {"arrival": "poisson", "stages": stages}


def _has(client: Client, number: int, states: Container[str]) -> bool:
    return client.benchmark(number, "none")["status"] in states


def _play(scene: Scene, width: int, url: str) -> None:
    """Runs the scene in a terminal of its own and writes what stands there in the end."""
    socket = f"llmbench-captures-{scene.name}-{width}"
    command = f"printf '$ %s\\n' '{scene.command}'; {scene.command}; echo '{_END}'; sleep 600"
    environment = {"LLMBENCH_SERVER": url, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}
    exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in environment.items())
    size = ("-x", str(width), "-y", str(_ROWS))
    _tmux(socket, "-f", "/dev/null", "new-session", "-d", *size, f"sh -c {shlex.quote(exports + command)}")
    try:
        _wait(lambda: (scene.until or _END) in _tmux(socket, "capture-pane", "-p"))
        coloured = _tmux(socket, "capture-pane", "-p", "-e")
        plain = _tmux(socket, "capture-pane", "-p")
    finally:
        _tmux(socket, "kill-server")
    name = f"{scene.name}-{width}"
    lines = [line.rstrip() for line in plain.partition(_END)[0].rstrip().splitlines()]
    (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if scene.coloured:
        for ground in GROUNDS:
            text = picture(coloured.partition(_END)[0].rstrip(), width, ground, title=scene.command)
            (FOLDER / f"{name}-{ground}.svg").write_text(text, encoding="utf-8")


def _page() -> Iterator[str]:
    """The page that shows all captures."""
    yield "# What a person sees\n"
    yield "`make captures` plays these commands in a terminal, against the simulator, and writes this page.\n"
    for scene in SCENES:
        yield f"## {scene.name}\n"
        for width in WIDTHS:
            text = (FOLDER / f"{scene.name}-{width}.txt").read_text(encoding="utf-8")
            yield f"At {width} columns:\n\n```\n{text}```\n"
            if scene.coloured:
                yield from (f"![on {ground} ground]({scene.name}-{width}-{ground}.svg)\n" for ground in GROUNDS)


def _tmux(socket: str, *arguments: str) -> str:
    program = shutil.which("tmux") or "tmux"
    done = subprocess.run([program, "-L", socket, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def _wait(condition: Callable[[], bool]) -> None:
    deadline = Deadline(_PATIENCE_S)
    while not condition():
        if deadline.passed:
            raise SystemExit(f"nothing happened within {_PATIENCE_S:g} s")
        pause(0.1)


if __name__ == "__main__":
    sys.exit(main())
