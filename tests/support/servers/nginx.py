"""A real nginx in a folder of its own, where one is installed."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.programs.tools import tool
from tests.support.waiting import wait_until

PROGRAM = tool("nginx")

_CONFIG = """daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def nginx(server: str, folder: Path, port: int) -> Iterator[None]:
    """nginx at this port, with these directives in its `server` block."""
    assert PROGRAM is not None
    # Its workers cannot leave root for a user that this machine does not have.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_CONFIG.format(user=user, folder=folder, port=port, server=server))
    with subprocess.Popen([PROGRAM, "-e", folder / "error.log", "-c", folder / "nginx.conf", "-p", folder]) as running:
        try:
            wait_until(lambda: running.poll() is not None or _listens(port))
            assert running.poll() is None, (folder / "error.log").read_text()
            yield
        finally:
            running.terminate()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
