"""Whether the time of a refusal tells a wrong id of an API key from a wrong secret.

    python -m benchmarks.key_timing [--count 1000] [--use-environment]

Starts the embedded stack with one key and sends it requests with an unknown id, and with the known id and a wrong
secret, in random order over one connection. The Mann-Whitney test says how likely such a difference is by chance. As
a control, the same test must tell both from a key with a wrong checksum, which is refused without the database.
Exits with 1 if it tells what it must not, or does not tell what it must. `--use-environment` takes DATABASE_URL.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from math import erfc, sqrt
from statistics import median

import httpx2

from cli.stack import EmbeddedStack
from shared.access.api_key import ApiKeyText, Hasher, make, parse
from shared.clock import monotonic_ns
from shared.db.access.keys import bootstrap
from shared.db.connection.database import Database

WARM_UP = 100
# A difference that is as unlikely as this by chance is one.
ALPHA = 0.001


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """(probability that one of `first` is above one of `second`, two-sided p by the normal approximation)."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, ties, begin = 0.0, 0.0, 0
    while begin < len(ranked):
        end = begin
        while end < len(ranked) and ranked[end][0] == ranked[begin][0]:
            end += 1
        tied = end - begin
        ties += tied**3 - tied
        ranks += sum(1 for _, group in ranked[begin:end] if group == 0) * (begin + end + 1) / 2
        begin = end
    a, b = len(first), len(second)
    above = ranks - a * (a + 1) / 2
    total = a + b
    deviation = sqrt(a * b / 12 * (total + 1 - ties / (total * (total - 1))))
    z = (above - a * b / 2) / deviation if deviation else 0.0
    return above / (a * b), erfc(abs(z) / sqrt(2))


def measured_us(url: str, known: ApiKeyText, count: int) -> dict[str, list[float]]:
    """Kind of wrong key → time from the request to its 401, in µs."""
    kinds: dict[str, Callable[[], str]] = {
        "wrong id": lambda: ApiKeyText(make().id, known.secret).text,
        "wrong secret": lambda: ApiKeyText(known.id, make().secret).text,
        "wrong checksum": lambda: make().text[:-6] + "000000",
    }
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    order = [kind for kind in kinds for _ in range(count)]
    random.shuffle(order)
    with httpx2.Client(base_url=url, timeout=30) as client:
        for kind in [*random.choices(list(kinds), k=WARM_UP), *order]:
            headers = {"authorization": f"Bearer {kinds[kind]()}"}
            begun = monotonic_ns()
            answer = client.get("/whoami", headers=headers)
            took = (monotonic_ns() - begun) / 1e3
            if answer.status_code != 401:
                raise SystemExit(f"{kind}: HTTP {answer.status_code} instead of 401")
            found[kind].append(took)
    return {kind: values[-count:] for kind, values in found.items()}


async def first_key(url: str) -> ApiKeyText:
    database = Database(url, pool_size=1)
    try:
        return parse((await bootstrap(database, Hasher(), "timing", another=True))[1])
    finally:
        await database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000, help="requests of each kind")
    parser.add_argument("--use-environment", action="store_true", help="use DATABASE_URL where set")
    options = parser.parse_args()
    with EmbeddedStack(isolated=not options.use_environment) as stack:
        known = asyncio.run(first_key(stack.database_url))
        found = measured_us(stack.url, known, options.count)
        print(f"{options.count:,} requests of each kind, {stack.database_url.split(':', 1)[0]}")
    for kind, values in found.items():
        print(f"  {kind:<15} median {median(values):7.1f} µs")
    failed = False
    for first, second, must_differ in (
        ("wrong id", "wrong secret", False),
        ("wrong id", "wrong checksum", True),
        ("wrong secret", "wrong checksum", True),
    ):
        above, p = mann_whitney(found[first], found[second])
        differ = p < ALPHA
        is_right = differ is must_differ
        failed = failed or not is_right
        print(
            f"  {first} against {second}: P(longer) = {above:.3f}, p = {p:.3g}: "
            f"{'told apart' if differ else 'not told apart'}{'' if is_right else ', WRONG'}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
