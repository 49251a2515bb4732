"""`llmbench webhooks key` and `listen`."""

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from cli.exits import CliError, ExitCode, Interrupted, usage
from cli.group import Commands
from cli.here import server_or_default
from cli.options import Server
from cli.output import Line, note, write
from cli.stop import Stop

app = typer.Typer(
    cls=Commands,
    help="Receive webhooks on this machine, or make an ENCRYPTION_KEY.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def key() -> None:
    """Print a new ENCRYPTION_KEY.

    The API and the workers need it to encrypt webhook secrets in the database.
    """
    from shared.webhooks.secret_box import new_key

    sys.stdout.write(new_key() + "\n")


@app.command()
def listen(
    server: Server = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    secret: Annotated[
        str | None,
        typer.Option(metavar="whsec_…", help="Verify with this secret and register nothing.", show_default=False),
    ] = None,
    answer: Annotated[int, typer.Option(min=200, max=599, help="Status to answer with, to see retries.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Receive webhooks, verify them and print them, until Ctrl-C.

    It registers itself at the server for all events, and deletes the registration at the end. The server must be
    allowed to reach it: `llmbench up` is; for another server set ALLOWED_PRIVATE_CIDRS. With --secret it registers
    nothing: use the printed URL as a benchmark's `webhook_url`.
    """
    from cli.client import Client
    from cli.receiver import Receiver
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
            server = server_or_default(server)
            client = parts.enter_context(Client(server))
            created = client.add_webhook(receiver.url, "llmbench webhooks listen")
            parts.callback(client.delete_webhook, created["id"])
            receiver.secret = created["secret"]
            note(f"listening on {receiver.url} for all benchmarks of {server}; Ctrl-C ends")
        else:
            receiver.secret = secret
            write([Line(receiver.url)])
            note("listening for events on this URL; Ctrl-C ends")
        try:
            while True:
                stop.pause(0.5)
        except Interrupted:
            return
