"""Takes the pictures of docs/img: `python -m tests.browser.pictures [--only run] [--into docs/img]`.

Every number in them is measured: two endpoints that the simulator plays, with prompts of several lengths. One of them
becomes slower on the way, so that the history has something to show. The runs are dated back to one a day.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from checks.report import not_run
from tests.browser.chromium import chromium, lacking
from tests.browser.stack import Stack, stack
from tests.browser.watched import tab
from tests.support.programs.ports import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).parents[2] / "docs/img"
LARGEST_BYTES = 200_000
MODEL = "chat-large"
PROMPTS = [
    "Summarise what a customer wrote, in one sentence: " + "The parcel came late. " * words
    for words in range(1, 160, 8)
]


@dataclass(frozen=True, slots=True)
class Picture:
    """`height`: of the window, in pixels. `dark`: whether the dark theme is taken too."""

    name: str
    path: str
    height: int = 900
    dark: bool = False


PICTURES = (
    Picture("list", "/ui/benchmarks", height=620, dark=True),
    Picture("run", "/ui/benchmarks/{east}", height=1_000),
    Picture("compare", "/ui/compare?ids={west},{east}", height=1_100),
    Picture("curve", "/ui/benchmarks/{sweep}/curve", height=900),
    Picture("history", "/ui/history?model=" + MODEL + "&provider=eu-west&prompt_set={prompt_set}", height=900),
    Picture("new", "/ui/benchmarks/new", height=1_000),
)


@contextmanager
def endpoint(port: int, ttft_ms: int) -> Iterator[None]:
    """The simulator at this port, which answers all models that it does not know alike."""
    behaviour = ["--ttft-ms", str(ttft_ms), "--gap-ms", "8", "--tokens", "48", "--options", "jit3-prefill120"]
    command = [sys.executable, "-m", "simulator", "--port", str(port), *behaviour]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port))
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx2.TransportError:
        return False


def run(made: Stack, name: str, provider: str, **changes: Any) -> int:
    load = {} if "load" in changes else {"repetitions": 6, "concurrency": 12}
    body = {"model": MODEL, "prompts": PROMPTS, **load, **changes}
    number = made.run(wait=False, name=name, provider=provider, **body)
    wait_until(lambda: made.has_ended(number))
    return number


def add_runs(made: Stack, folder: Path, west: int, east: int) -> dict[str, Any]:
    """What the pictures show. `folder`: the stack's. `west` and `east`: ports of the two endpoints."""
    nightly = []
    with endpoint(west, 180):
        nightly += [run(made, "Nightly", "eu-west") for _ in range(5)]
    with endpoint(west, 240), endpoint(east, 140):
        nightly += [run(made, "Nightly", "eu-west") for _ in range(2)]
        run(made, "Overload drill", "us-east", model="sim-ttft120-gap8-n32-err529-every9")
        ids: dict[str, Any] = {
            "west": run(made, "Support answers, EU", "eu-west"),
            "east": run(made, "Support answers, US", "us-east"),
        }
        ids["sweep"] = run(
            made,
            "How much does one GPU hold?",
            "us-east",
            model="sim-slots8-ttft60-gap6-n32-jit1",
            prompts=PROMPTS[:4],
            load={"sweep": {"concurrency": [1, 2, 4, 8, 12, 16, 24], "duration_s": 3}},
            slos={"ttft_ms": 400},
        )
        ids["prompt_set"] = made.client.get(f"/benchmarks/{ids['west']}").json()["prompt_set"]
        _date_back(nightly, folder)
        return ids


def _date_back(nightly: Sequence[int], folder: Path) -> None:
    """One of these a day, the last of them yesterday."""
    columns = ("created_at", "started_at", "completed_at")
    moved = ", ".join(f"{name} = strftime('%Y-%m-%dT%H:%M:%f000Z', {name}, :by)" for name in columns)
    with sqlite3.connect(folder / "work/llmbench.db") as connection:
        for days, number in enumerate(reversed(nightly), start=1):
            connection.execute(f"UPDATE benchmarks SET {moved} WHERE id = :id", {"by": f"-{days} days", "id": number})


def _fill_in(page: "Page") -> None:
    page.locator("#f-model").fill("sim-ttft140-gap8-n48")
    page.locator("#f-prompts").fill("Summarise what a customer wrote, in one sentence: …\nIs this a complaint? …")
    page.locator("#f-repetitions").fill("50")
    page.get_by_role("heading", name="With curl").wait_for()


def take(browser: "Browser", made: Stack, ids: dict[str, Any], pictures: Sequence[Picture], into: Path) -> None:
    for picture in pictures:
        for dark in (False, True) if picture.dark else (False,):
            path = into / f"{picture.name}{'-dark' if dark else ''}.png"
            with tab(browser, made.url, dark=dark) as watched:
                watched.page.set_viewport_size({"width": 1440, "height": picture.height})
                page = watched.open(picture.path.format(**ids))
                if picture.name == "new":
                    _fill_in(page)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=path)
            size = path.stat().st_size
            print(f"{path.name}: {size / 1e3:.0f} kB")
            if size > LARGEST_BYTES:
                raise SystemExit(f"{path.name} is larger than {LARGEST_BYTES / 1e3:.0f} kB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=IMAGES)
    parser.add_argument("--only", help="names, separated by commas")
    options = parser.parse_args()
    if (reason := lacking()) is not None:
        not_run("pictures", reason)
        return 0
    only = set((options.only or "").split(",")) - {""}
    pictures = [picture for picture in PICTURES if not only or picture.name in only]
    options.into.mkdir(parents=True, exist_ok=True)
    ports = {"eu-west": free_port(), "us-east": free_port()}
    price = {"input_usd_per_mtok": 0.8, "output_usd_per_mtok": 4}
    providers = [
        {"name": name, "protocol": "anthropic", "base_url": f"http://127.0.0.1:{port}", "prices": price}
        for name, port in ports.items()
    ]
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        made = parts.enter_context(stack(folder, PROVIDERS=json.dumps(providers)))
        ids = add_runs(made, folder, *ports.values())
        browser = parts.enter_context(chromium())
        take(browser, made, ids, pictures, options.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
