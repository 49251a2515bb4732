"""Everything that a deployment leaves behind, for the search."""

from redis.asyncio import Redis
from sqlalchemy import MetaData, select

from shared.db.connection.database import Database
from tests.programs.canary.deployment import Deployment


async def keep_remains(running: Deployment) -> None:
    """The database, Redis, logs, spans, webhooks that were sent, and command lines."""
    search = running.search
    search.keep("command lines", running.command_lines())
    await _keep_database(running)
    await _keep_redis(running)
    for path in sorted(running.folder.glob("*.log")):
        search.keep(f"log: {path.name}", path.read_bytes())
    search.keep("simulator", running.simulator.log.read_bytes())
    search.keep("spans", running.spans.raw)
    for hook in running.hooks.received:
        search.keep("webhook", f"{hook.path} {hook.headers}".encode() + hook.body)
    for request in running.echo.stolen.received:
        search.keep("target of a redirect", f"{request.path} {request.headers}".encode() + request.body)


async def _keep_database(running: Deployment) -> None:
    """Every row of every table, and the bytes of SQLite's files, which have deleted rows too."""
    database = Database(running.database_url)
    metadata = MetaData()
    async with database.engine.connect() as connection:
        await connection.run_sync(metadata.reflect)
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            text = b"\n".join(b"\t".join(_bytes(value) for value in row) for row in rows)
            running.search.keep(f"database: {table.name}", text)
    await database.close()
    for path in running.folder.glob("canary.db*"):
        running.search.keep(f"file: {path.name}", path.read_bytes())


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def _keep_redis(running: Deployment) -> None:
    """Every key with its value as Redis writes it, and its dump on the disk, not compressed."""
    redis: Redis = running.redis
    await redis.config_set("rdbcompression", "no")
    async for key in redis.scan_iter():
        running.search.keep("redis", key + b" " + (await redis.dump(key) or b""))
    await redis.save()
    running.search.keep("redis dump", (running.folder / "dump.rdb").read_bytes())
    info = await redis.execute_command("SLOWLOG", "GET", "-1")
    running.search.keep("redis slow log", repr(info))
