"""The simulator as a program: `python -m simulator`, and `serve` for `llmbench simulate`."""

import argparse
import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shared.program.limits import raise_open_files_limit
from simulator.profile import Profile, grammar
from simulator.server import Simulator


def serve(
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    request_log: Path | None = None,
    seed: int = 0,
    defaults: Profile | None = None,
    require_key: str | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; prints one line once it listens. `port` 0 takes a free one.

    Raises OSError where the address is taken or a TLS file is not one.
    """
    raise_open_files_limit()
    tls = None
    if tls_certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(tls_certificate, tls_key)
    simulator = Simulator(host, port, request_log, seed, defaults, require_key=require_key, tls=tls)
    try:
        import uvloop
    except ImportError:  # not built for this platform
        asyncio.run(_serve(simulator))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(simulator))


async def _serve(simulator: Simulator) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        sys.stdout.write(f"simulator listening on {simulator.base_url}\n")
        sys.stdout.flush()
        gc.freeze()  # what lives for ever need not be walked while a stream waits
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    defaults = replace(
        arguments.options or Profile(),
        ttft_ms=arguments.ttft_ms,
        gap_ms=arguments.gap_ms,
        tokens=arguments.tokens,
    )
    serve(
        arguments.host,
        arguments.port,
        request_log=arguments.request_log,
        seed=arguments.seed,
        defaults=defaults,
        require_key=arguments.require_key,
        tls_certificate=arguments.tls_certificate,
        tls_key=arguments.tls_key,
    )


def _parser() -> argparse.ArgumentParser:
    profile = Profile()
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="An LLM endpoint that speaks Anthropic Messages, OpenAI chat completions and OpenAI Responses "
        "with a known TTFT, token gap and fault. Any model name is served with the defaults below.",
        epilog="A model name `sim-OPTION-OPTION-…` (as in sim-ttft50-gap5-n64-rst3) chooses the behaviour:\n"
        + grammar(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8765, help="0 picks a free port (default: %(default)s)")
    parser.add_argument("--request-log", type=Path, metavar="FILE", help="append a JSON line per ended request")
    parser.add_argument("--seed", type=int, default=0, help="seed of the jitter (default: %(default)s)")
    parser.add_argument(
        "--ttft-ms", type=_milliseconds, default=profile.ttft_ms, help="time to first token (default: %(default)s)"
    )
    parser.add_argument(
        "--gap-ms", type=_milliseconds, default=profile.gap_ms, help="time between tokens (default: %(default)s)"
    )
    parser.add_argument("--tokens", type=_tokens, default=profile.tokens, help="output tokens (default: %(default)s)")
    parser.add_argument(
        "--options",
        type=default_options,
        metavar="OPTIONS",
        help="further defaults, written as in a model name: slots8-prefill250-batch0.1",
    )
    parser.add_argument("--require-key", metavar="KEY", help="answer 401 to every other API key")
    parser.add_argument(
        "--tls-certificate", type=Path, metavar="FILE", help="speak TLS with this PEM chain, which may hold its key too"
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the key of --tls-certificate")
    return parser


def default_options(text: str) -> Profile:
    """Raises ValueError: the text has an unknown option."""
    return Profile.parse(f"sim-{text}", {}, Profile())


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise ValueError(text)
    return value


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86_400_000:  # nan fails too
        raise ValueError(text)
    return value


def _tokens(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 1_000_000:
        raise ValueError(text)
    return value
