"""Whether an open loop keeps its rate: requested, due and achieved rate and lateness, of the whole product.

    python -m benchmarks.rates [--rates 10,50,100,200,500] [--seconds 20] [--arrivals constant,poisson] [--model …]

Starts the embedded stack (API, worker, measuring process, Valkey, SQLite, simulator) and sends one benchmark for each
rate and arrival. Everything shares the machine, the simulator included. `due` is the rate of the schedule itself, which
a random one has only on average; the achieved rate is compared with it.
"""

import argparse
import sys
from typing import Any

import httpx2

from benchmarks.truth import wait_for_end
from cli.stack import EmbeddedStack

# A rate is kept if no larger share of it is missing.
KEPT_WITHIN = 0.01
COLUMNS = (
    *("arrival", "requested", "due", "achieved", "missing", "sent", "dropped"),
    *("late P50", "late P99", "late max", "limited by", "grade"),
)


def measure(client: httpx2.Client, rate: float, arrival: str, options: argparse.Namespace) -> dict[str, Any]:
    """The summary of a benchmark at this rate."""
    body = {
        "name": f"rate {rate:g} {arrival}",
        "model": options.model,
        "prompts": ["Can you keep time?"],
        "load": {"request_rate": rate, "arrival": arrival, "duration_s": options.seconds, "seed": options.seed},
    }
    posted = client.post("/benchmarks", json=body)
    if posted.status_code != 202:
        raise SystemExit(f"the API refused: {posted.text}")
    state = wait_for_end(client, posted.headers["location"])
    if state["status"] != "completed":
        raise SystemExit(f"the benchmark has not completed: {state['error'] or state['progress']}")
    summary: dict[str, Any] = state["summary"]
    return summary


def missing(rates: dict[str, Any]) -> float:
    """Which share of the schedule's rate is missing."""
    return 1 - rates["achieved"] / rates["due"]


def cells(arrival: str, summary: dict[str, Any]) -> list[str]:
    rates, counts, measurement = summary["request_rate"], summary["requests"], summary["measurement"]
    late = rates["lateness_ms"]
    return [
        arrival,
        f"{rates['requested']:g}",
        *(f"{rates[name]:.2f}" for name in ("due", "achieved")),
        f"{missing(rates):.2%}",
        f"{late['count']:,}",
        f"{counts['dropped']:,}",
        *("–" if late[name] is None else f"{late[name]:.2f}" for name in ("p50", "p99", "max")),
        rates["limited_by"] or "–",
        measurement["grade"] if measurement else "–",
    ]


def show(values: list[str] | tuple[str, ...]) -> None:
    print("  ".join(f"{cell:>{max(9, len(name))}}" for cell, name in zip(values, COLUMNS, strict=True)), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="10,50,100,200,500", help="requests/s, with commas between")
    parser.add_argument("--arrivals", default="constant,poisson", help="with commas between")
    parser.add_argument("--seconds", type=float, default=20, help="how long each benchmark sends")
    parser.add_argument("--model", default="sim-ttft50-gap2-n8", help="what the simulator answers with")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    all_kept = True
    with EmbeddedStack(isolated=True) as stack, httpx2.Client(base_url=stack.url, timeout=120) as client:
        measure(client, 10, "constant", argparse.Namespace(**{**vars(options), "seconds": 1}))
        print(f"{options.seconds:g} s each, {options.model}. Rates in requests/s; late: ms after the due time.")
        show(COLUMNS)
        for arrival in options.arrivals.split(","):
            for rate in map(float, options.rates.split(",")):
                summary = measure(client, rate, arrival, options)
                all_kept &= missing(summary["request_rate"]) <= KEPT_WITHIN
                show(cells(arrival, summary))
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
