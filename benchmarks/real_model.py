"""A real model behind llama.cpp's server: what the API says of each request, beside the server's own log.

    python -m benchmarks.real_model --url http://127.0.0.1:8777 --model NAME --log /path/of/its/output

The server must be idle otherwise. The same prompts go to it by every protocol of the registry, one request at a time,
so that the log's requests are those of the run, in its order. Prints how far the numbers are apart; ends with 1 if
tokens differ or a request did not succeed.
"""

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import orjson

from cli.stack import EmbeddedStack
from cli.waiting import pause
from shared.protocols.registry import PROTOCOLS

PROMPTS = ["Say hello in exactly 3 words", "Name a river in France.", "Why is the sky blue?", "Count from 1 to 5."]
# Before the next look, if the server answered before the end of the run.
PAUSE_S = 0.2
_TASK = re.compile(rb"task (\d+) \|")
_PROMPT = re.compile(rb"prompt eval time = +([\d.]+) ms / +(\d+) tokens")
_ANSWER = re.compile(rb"\|\s+eval time = +([\d.]+) ms / +(\d+) tokens")


@dataclass
class Logged:
    """One request in the server's log. `prompt_tokens`: those that were not cached."""

    prompt_ms: float = 0.0
    prompt_tokens: int = 0
    answer_ms: float = 0.0
    answer_tokens: int = 0


def logged(data: bytes) -> list[Logged]:
    """The requests of a log in the order in which they ended."""
    tasks: dict[bytes, Logged] = {}
    for line in data.splitlines():
        task = _TASK.search(line)
        if task is None:
            continue
        if (found := _PROMPT.search(line)) is not None:
            tasks[task[1]] = Logged(float(found[1]), int(found[2]))
        elif (found := _ANSWER.search(line)) is not None and task[1] in tasks:
            tasks[task[1]].answer_ms, tasks[task[1]].answer_tokens = float(found[1]), int(found[2])
    return list(tasks.values())


def measure(client: httpx2.Client, protocol: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The results of a run, in the order in which they were sent."""
    body = {
        "name": f"real model by {protocol}",
        "provider": f"real-{protocol}",
        "model": options.model,
        "prompts": PROMPTS,
        "repetitions": options.repetitions,
        "concurrency": 1,
        "parameters": {"max_tokens": options.max_tokens, "temperature": 0},
    }
    posted = client.post("/benchmarks", json=body)
    if posted.status_code != 202:
        raise SystemExit(f"the API refused: {posted.text}")
    url = posted.headers["location"]
    while (state := client.get(url).json())["status"] in ("pending", "running"):
        pause(PAUSE_S)
    print(f"\n{protocol}: {state['status']}, flags {state['summary']['flags']}")
    print(
        f"  finish reasons {state['summary'].get('finish_reasons')}, grade {state['summary']['measurement']['grade']}"
    )
    return sorted(state["results"], key=lambda result: result["sent_at"])


def compare(results: list[dict[str, Any]], truths: list[Logged]) -> bool:
    """Prints how far the results are from the log. True if nothing contradicts."""
    failed = [result["error"] for result in results if result["outcome"] != "succeeded"]
    if failed or len(results) != len(truths):
        print(f"  {len(results)} results, {len(truths)} requests in the log; failed: {failed}")
        return False
    pairs = list(zip(results, truths, strict=True))
    tokens = [result["output_tokens"] == truth.answer_tokens for result, truth in pairs]
    computed = [result["total_input_tokens"] - (result["cache_read_tokens"] or 0) for result in results]
    inputs = [uncached == truth.prompt_tokens for uncached, (_, truth) in zip(computed, pairs, strict=True)]
    print(f"  {len(pairs)} requests; output tokens equal in {sum(tokens)}, uncached input tokens in {sum(inputs)}")
    after_prompt = [result["ttft_ms"] - truth.prompt_ms for result, truth in pairs]
    print(f"  TTFT less the log's time for the prompt: median {median(after_prompt):.2f} ms, ", end="")
    print(f"from {min(after_prompt):.2f} to {max(after_prompt):.2f}")
    speeds = [
        result["tpot_ms"] / (truth.answer_ms / (truth.answer_tokens - 1))
        for result, truth in pairs
        if result["tpot_ms"] is not None and truth.answer_tokens > 1
    ]
    if speeds:
        print(f"  TPOT to the log's: median {median(speeds):.4f}, from {min(speeds):.4f} to {max(speeds):.4f}")
    return all(tokens) and all(inputs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8777", help="root of the server")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--log", type=Path, required=True, help="what the server writes")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=48)
    options = parser.parse_args()
    endpoints = [
        {"name": f"real-{name}", "protocol": name, "base_url": options.url + adapter.base_path}
        for name, adapter in PROTOCOLS.items()
    ]
    os.environ["PROVIDERS"] = orjson.dumps(endpoints).decode()
    good = True
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedStack(data_dir=Path(folder)) as stack,
        httpx2.Client(base_url=stack.url, timeout=120) as client,
    ):
        for protocol in PROTOCOLS:
            start = options.log.stat().st_size
            results = measure(client, protocol, options)
            with options.log.open("rb") as log:
                log.seek(start)
                good &= compare(results, logged(log.read()))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
