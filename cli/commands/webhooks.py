"""`llmbench webhooks key`, `reseal` and `listen`."""

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from cli.exits import CliError, ExitCode, Interrupted, usage
from cli.group import Commands
from cli.options.common import Server
from cli.server.here import server_or_default
from cli.stop import Stop
from cli.terminal.help import Command
from cli.terminal.output import Line, note, write

app = typer.Typer(
    cls=Commands,
    help="Receive webhooks on this machine, make an ENCRYPTION_KEY, or replace one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(cls=Command)
def key() -> None:
    """Print a new ENCRYPTION_KEY.

    The API and the workers need it to encrypt webhook secrets in the database.
    """
    from shared.webhooks.secret_box import new_key

    sys.stdout.write(new_key() + "\n")


@app.command(cls=Command)
def reseal(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if a secret needs an older key.")
    ] = False,
) -> None:
    """Encrypt all webhook secrets in the database with the first key of ENCRYPTION_KEY.

    After it, the older keys of the list are no longer needed. It reads DATABASE_URL and ENCRYPTION_KEY, can run beside
    the service, and can run again.
    """
    from cli.database import reseal_secrets, shown
    from shared.settings import load_settings

    settings = load_settings()
    if settings.encryption_key is None:
        raise usage("set ENCRYPTION_KEY to the new key and the old ones, separated by commas")
    done = reseal_secrets(settings, change=not check)
    counts = f"{done.current:,} had the newest key already" if not check else f"{done.current:,} have the newest key"
    verb = "need" if check else "got"
    sys.stdout.write(
        f"{shown(settings.database_url)}: {done.changed:,} webhook secrets {verb} the newest key, {counts}\n"
    )
    if done.unreadable:
        ids = ", ".join(map(str, done.unreadable))
        raise CliError(
            f"no key in ENCRYPTION_KEY opens the secrets of these webhooks: {ids}",
            ExitCode.FAILED,
            ["add the key that they were sealed with, or rotate their secrets"],
        )
    if check and done.changed:
        raise CliError("run `llmbench webhooks reseal` before you remove the old keys", ExitCode.FAILED)


@app.command(cls=Command)
def listen(
    server: Server = None,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="whsec_…",
            envvar="LLMBENCH_WEBHOOK_SECRET",
            show_envvar=False,
            help="Verify with this secret and register nothing.",
            show_default=False,
        ),
    ] = None,
    answer: Annotated[
        int, typer.Option(metavar="STATUS", min=200, max=599, help="Status to answer with, to see retries.")
    ] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Receive webhooks, verify them and print them, until Ctrl-C.

    It registers itself at the server for all events, and deletes the registration at the end. The server must be
    allowed to reach it: `llmbench up` is; for another server set ALLOWED_PRIVATE_CIDRS. With --secret it registers
    nothing: use the printed URL as a benchmark's `webhook_url`.
    """
    from cli.receiver import Receiver
    from cli.server.client import Client
    from shared.webhooks.message import check_secret

    if secret is not None:
        try:
            check_secret(secret)
        except ValueError as exc:
            raise usage(f"--secret: {exc}") from exc
    with ExitStack() as parts:
        stop = parts.enter_context(Stop())
        try:
            receiver = parts.enter_context(Receiver(host, port, answer, as_json=as_json))
        except OSError as exc:
            raise CliError(f"cannot listen on {host}:{port}: {exc.strerror or exc}", ExitCode.USAGE) from exc
        if secret is None:
            client = parts.enter_context(Client(server_or_default(server)))
            created = client.add_webhook(receiver.url, "llmbench webhooks listen")
            parts.callback(client.delete_webhook, created["id"])
            receiver.secret = created["secret"]
            note(f"listening on {receiver.url} for all benchmarks of {client.url}; Ctrl-C ends")
        else:
            receiver.secret = secret
            write([Line(receiver.url)])
            note("listening for events on this URL; Ctrl-C ends")
        try:
            while True:
                stop.pause(0.5)
        except Interrupted:
            return
