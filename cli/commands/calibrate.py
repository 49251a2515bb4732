"""`llmbench calibrate`: up to which load this host measures exactly."""

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import CliError, ExitCode, Interrupted, usage
from cli.terminal.output import write, write_json
from cli.terminal.steps import Steps

if TYPE_CHECKING:
    from worker.calibration import Calibration


def calibrate(
    concurrency: Annotated[
        str, typer.Option(metavar="N,N,…", help="Loads to try, as numbers of simultaneous streams.")
    ] = "1,16,64,256,512,1024",
    repeats: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Runs of each load; the table shows their medians.")
    ] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Find out up to which load this host measures exactly. Takes half a minute; nothing else should run meanwhile.

    The measuring engine runs against the simulator in another process, which logs when it got each request and sent
    each token. TTFT is 200 ms, 32 tokens follow 20 ms apart, and all streams start together. It needs no server and no
    key, and stores nothing. A worker with CALIBRATE_ON_START=true does the same and shows the result in `GET /workers`
    and in each run's summary.
    """
    import asyncio

    from cli.render.calibration import calibration_lines

    levels = _levels(concurrency)
    with Steps() as steps:
        calibration = asyncio.run(_calibrate(levels, repeats, steps))
    if as_json:
        write_json(calibration.document())
    else:
        write(calibration_lines(calibration.document()))


def _levels(text: str) -> list[int]:
    try:
        levels = sorted({int(part) for part in text.split(",")})
    except ValueError:
        levels = []
    if not levels or levels[0] < 1 or levels[-1] > 10_000:
        raise usage("--concurrency: must be whole numbers from 1 to 10,000, separated by commas, as in 1,64,256")
    return levels


async def _calibrate(levels: list[int], repeats: int, steps: Steps) -> "Calibration":
    import asyncio

    from shared.clock import SystemClock
    from shared.program.limits import raise_open_files_limit
    from shared.settings import load_settings
    from worker.calibration import CannotCalibrate, calibrate
    from worker.engine.children import Children

    # If the terminal is closed, the simulator must end too. asyncio already does this for Ctrl-C.
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    raise_open_files_limit()
    children = Children()
    try:
        await children.prepare()
        return await calibrate(
            children,
            SystemClock(),
            processes_setting=load_settings().engine_processes,
            levels=levels,
            repeats=repeats,
            on_level=lambda level: steps(f"measuring {level:,} stream{'s' if level > 1 else ''} at the same time"),
        )
    except CannotCalibrate as exc:
        raise CliError(f"cannot calibrate: {exc}", ExitCode.FAILED) from exc
    except asyncio.CancelledError:
        raise Interrupted from None
    finally:
        await children.close()
