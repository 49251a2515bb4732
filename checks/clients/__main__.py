"""Generates a Python and a TypeScript client, and uses a running API through both."""

import json
import sys
import tempfile
from pathlib import Path

import httpx2

from checks.clients.kinds import CLIENTS
from checks.clients.play import play_all
from cli.stack import EmbeddedStack


def main() -> int:
    with EmbeddedStack(isolated=True) as stack, tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        # As it is served, and as text: what the generators read is what users get.
        document.write_text(json.dumps(httpx2.get(f"{stack.url}/openapi.json", timeout=30).json()), encoding="utf-8")
        return play_all(CLIENTS, document, stack.url, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
