"""Starts Valkey, simulator, API and workers, migrates the database, and ends everything in order."""

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType

from cli import waiting
from cli.exits import CliError, ExitCode
from cli.server.announcement import Announcement, digest
from cli.stack import ports, programs, valkey
from cli.stack.folder_lock import FolderLock
from cli.stack.process import Child
from cli.stack.readiness import readiness
from cli.stack.restarts import MOST
from cli.stack.supervisor import Supervisor, how
from shared.network.hosts import is_loopback

START_S = 90.0
_PROBE_S = 0.02
# The stack's own simulator is the same at each start, but for its port.
SIMULATOR_ID = "embedded"


class EmbeddedStack:
    """Inside `with EmbeddedStack() as stack:` the API at `stack.url` is ready.

    `port` 0 takes a free port. If DATABASE_URL, REDIS_URL or SIMULATOR_URL is set, it replaces the embedded part.
    `isolated` ignores them and every provider key, and keeps the database in a temporary folder. `exclusive` refuses
    to start if another exclusive stack uses the folder's database. `announce`: commands in the data folder find it
    (`announced`). `settings` are
    environment variables of API and workers, which override all others. The stack waits by calling `pause`; if that
    raises, the start ends. `on_step` is called with a text for each step. `on_restart` is called with a line when a
    worker dies, and the worker is started again; without it, a dead worker ends the stack. Raises CliError.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data_dir: Path = Path(),
        log_dir: Path | None = None,
        workers: int = 1,
        isolated: bool = False,
        exclusive: bool = False,
        announce: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
        start_s: float = START_S,
        pause: Callable[[float], None] = waiting.pause,
        on_step: Callable[[str], None] = lambda _: None,
        on_restart: Callable[[str], None] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._data_dir, self._log_dir = data_dir, log_dir
        self._worker_count = workers
        self._isolated = isolated
        self._exclusive = exclusive
        self._lock: FolderLock | None = None
        self._announce = announce
        self._announcement: Announcement | None = None
        self._settings = settings
        self._start_s = start_s
        self._pause = pause
        self._on_step = on_step
        self._supervisor = None if on_restart is None else Supervisor(self._restart, on_restart)
        self._child_environment: dict[str, str] = {}
        self._folder: Path | None = None
        self.children: list[Child] = []
        self.url = ""
        self.database_url = ""
        self.redis_url = ""
        self.simulator_url = ""
        self.embeds_redis = False
        # In words: where webhooks may go besides public addresses.
        self.webhooks_reach = ""
        self.logs = Path()
        self._grace_s = 0.0

    def __enter__(self) -> "EmbeddedStack":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # KeyboardInterrupt is the second signal: the user does not want to wait.
        self.close(at_once=kind is KeyboardInterrupt)

    def start(self) -> None:
        """Returns when `GET /ready` answers 200. If the start fails, it ends all parts again."""
        deadline = waiting.Deadline(self._start_s)
        if not self._isolated and not is_loopback(self._host):
            from cli.stack.binding import check_binding

            check_binding(self._host, self._data_dir)
        if self._port:
            ports.check_free(self._host, self._port)
        try:
            with nullcontext(self._port) if self._port else ports.kept_port() as port:
                self._start(port, deadline)
        except BaseException as exc:
            self.close(at_once=isinstance(exc, KeyboardInterrupt))
            raise

    def check(self) -> None:
        """If a child has ended, raises CliError with the end of its log, or starts it again."""
        if self._supervisor is not None:
            worker = self._supervisor.look()
            if worker is not None and worker.exit_code is not None:
                times = f"{MOST} times in a row"
                raise _failure(f"{worker.name} ended by itself {times}, the last time: {how(worker.exit_code)}", worker)
        for child in self.children:
            if child.exit_code is not None and not (self._supervisor and self._supervisor.is_watched(child)):
                raise _failure(f"{child.name} ended by itself ({how(child.exit_code)})", child)

    def close(self, *, at_once: bool = False) -> None:
        """Ends API, workers (after their grace period), simulator and Valkey, in this order.

        It leaves no process and no temporary file.
        """
        try:
            # First, so that no `run` finds a server that is ending. The lock stays, because the database is in use.
            if self._announcement is not None:
                self._announcement.withdraw()
                self._announcement = None
            if not at_once:
                self._end_in_order()
        finally:
            for child in self.children:
                child.kill()
            self.children = []
            if self._lock is not None:
                self._lock.release()
                self._lock = None
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def _start(self, port: int, deadline: waiting.Deadline) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="llmbench-"))
        self.logs = self._log_dir or self._folder
        for folder in (self.logs, self._data_dir):
            _make(folder)
        if self._announce:
            self._announcement = Announcement(self._data_dir)
        # API and workers take longest: they import while all else is prepared, and get their settings with `go`.
        importing = [self._spawn("api", programs.api(self._host, port), None)]
        for number in range(self._worker_count):
            name = "worker" if self._worker_count == 1 else f"worker-{number + 1}"
            importing.append(self._spawn(name, programs.worker(), None))
        env = self._child_environment = self._environment(deadline)
        for child in importing:
            child.go(env)
        self._say("waiting for the API and the worker")
        self.url = f"http://{_reachable(self._host)}:{port}"
        self._wait_until_ready(deadline)
        if self._supervisor is not None:
            self._supervisor.watch([child for child in self.children if _part(child) == "worker"])
        if self._announcement is not None:
            self._announcement.ready(self.url, digest(self.database_url))

    def _restart(self, name: str) -> Child:
        """A worker in place of the dead one of this name, with the same settings and the same log."""
        for dead in [child for child in self.children if child.name == name]:
            dead.kill()  # and what it had started
            self.children.remove(dead)
        worker = self._spawn(name, programs.worker(), None)
        worker.go(self._child_environment)
        return worker

    def _environment(self, deadline: waiting.Deadline) -> dict[str, str]:
        """Starts queue and simulator, migrates the database, and returns the environment of API and workers."""
        # Imported only now, because it loads the settings, which takes as long as everything else here.
        from cli.stack import environment

        parts = environment.parts(isolated=self._isolated)
        self._grace_s, self.webhooks_reach = parts.shutdown_grace_s, parts.webhooks_reach
        self._say("starting the queue and the simulator")
        simulator = None
        if not parts.simulator_url:
            bare = environment.without_keys(parts.environment)
            simulator = self._spawn("simulator", programs.simulator(), bare)
        self.embeds_redis = parts.redis_url is None
        if parts.redis_url:
            valkey.check_reachable(parts.redis_url)
        self.redis_url = parts.redis_url or self._start_valkey(deadline)
        data_dir = self._folder if self._isolated and self._folder else self._data_dir
        if self._exclusive and parts.database_url is None:
            self._lock = FolderLock(data_dir)
        self.database_url = parts.database_url or environment.sqlite_url(data_dir)
        self._say("bringing the database up to date")
        self._migrate()
        self._pause(0)
        self.simulator_url = self._url_of(simulator, deadline) if simulator else str(parts.simulator_url)
        env = parts.environment | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SIMULATOR_URL": self.simulator_url,
            **({"SIMULATOR_ID": SIMULATOR_ID} if simulator else {}),
            **self._settings,
        }
        if not parts.has_encryption_key:
            env["ENCRYPTION_KEY"] = environment.encryption_key(data_dir)
        return env

    def _say(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone; the parts must still end in order
            self._on_step(text)

    def _spawn(self, name: str, arguments: Sequence[str], env: dict[str, str] | None) -> Child:
        # An isolated stack must not read a `.env` either, so it runs in another folder.
        cwd = self._folder if self._isolated and self._folder else Path()
        child = Child(name, arguments, env, cwd, self.logs / f"{name}.log")
        self.children.append(child)
        return child

    def _start_valkey(self, deadline: waiting.Deadline) -> str:
        folder = self._folder or Path()
        for _ in range(3):
            port = ports.free_port()
            child = self._spawn("valkey", valkey.arguments(port, folder), {})
            while child.exit_code is None:
                if valkey.answers(port):
                    return f"redis://127.0.0.1:{port}/0"
                self._wait_for(child, deadline)
            # Another program may have taken the port meanwhile.
            child.kill()
            self.children.remove(child)
        raise _failure("the embedded Valkey does not start", child)

    def _url_of(self, simulator: Child, deadline: waiting.Deadline) -> str:
        while True:
            listening = re.search(r"listening on (http://\S+)\n", simulator.output())
            if listening:
                return listening[1]
            self.check()
            self._wait_for(simulator, deadline)

    def _migrate(self) -> None:
        from cli.database import migrate

        migrate(self.database_url)

    def _wait_until_ready(self, deadline: waiting.Deadline) -> None:
        while True:
            self.check()
            answer = readiness(self.url)
            if answer.ready:
                return
            by_part = {_part(child): child for child in reversed(self.children)}
            self._wait_for(by_part.get(answer.part), deadline, f"{answer.part} is not ready: {answer.detail}")

    def _wait_for(self, child: Child | None, deadline: waiting.Deadline, problem: str = "") -> None:
        if deadline.passed:
            name = child.name if child else "stack"
            raise _failure(f"{problem or f'{name} does not answer'} (waited {self._start_s:g} s)", child)
        self._pause(_PROBE_S)

    def _end_in_order(self) -> None:
        for part, seconds in (("api", 8.0), ("worker", self._grace_s + 5), ("simulator", 5.0), ("queue", 5.0)):
            group = [child for child in self.children if _part(child) == part]
            if group:
                self._say(f"ending the {part}" + (", requests in flight first" if part == "worker" else ""))
            for child in group:
                child.terminate()
            for child in group:
                child.wait(seconds)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise CliError(f"cannot create the folder {folder}: {exc.strerror}", ExitCode.USAGE) from exc


def _failure(message: str, child: Child | None) -> CliError:
    tail = child.tail() if child else []
    return CliError(message, ExitCode.UNREACHABLE, ["the end of its log:", *tail] if tail else [])


def _part(child: Child) -> str:
    """A child's part as `/ready` names it: `worker-2` is a worker, Valkey is the queue."""
    name = child.name.partition("-")[0]
    return "queue" if name == "valkey" else name


def _reachable(host: str) -> str:
    """The host to connect to, for a host to listen on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"[{host}]" if ":" in host else host
