"""A real PgBouncer in transaction mode, where one is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from shared.settings import process_environment
from tests.support.programs.ports import free_port
from tests.support.programs.tools import fetched_libraries, tool
from tests.support.waiting import wait_until

PROGRAM = os.environ.get("TEST_PGBOUNCER") or tool("pgbouncer")


@contextmanager
def pgbouncer_before(database_url: str, servers: int) -> Iterator[str]:
    """A URL of the same database through a pooler that lends `servers` connections, each for one transaction.

    With `server_round_robin`, the next transaction of a client is on another connection wherever possible.
    """
    assert PROGRAM is not None
    target, port = make_url(database_url), free_port()
    password = f" password={target.password}" if target.password else ""
    with tempfile.TemporaryDirectory(prefix="llmbench-pgbouncer-") as folder:
        home = Path(folder)
        (home / "users.txt").write_text(f'"{target.username}" ""\n', encoding="utf-8")
        (home / "pgbouncer.ini").write_text(
            f"""[databases]
{target.database} = host={target.host} port={target.port or 5432} user={target.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {home}/users.txt
pool_mode = transaction
default_pool_size = {servers}
min_pool_size = {servers}
server_round_robin = 1
max_client_conn = 200
""",
            encoding="utf-8",
        )
        program = Path(shutil.copy(PROGRAM, home))
        for library in fetched_libraries():
            shutil.copy(library, home)
        # It refuses to run as root, and root's folders may be closed to others.
        user = "nobody" if os.geteuid() == 0 else None
        if user:
            for path in (home, *home.iterdir()):
                shutil.chown(path, user)
        running = subprocess.Popen(
            [program, "-q", str(home / "pgbouncer.ini")],
            user=user,
            env=process_environment(LD_LIBRARY_PATH=str(home)),
        )
        try:
            wait_until(lambda: _listens(port))
            yield target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            running.terminate()
            running.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
