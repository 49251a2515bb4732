"""Writes all tables of docs/metrics.md from the registries: `make docs` pipes the page through it."""

import sys

from shared.benchmark.results.flags import FLAGS
from shared.benchmark.slo.slo_presets import PRESETS
from shared.numbers.disturbance import CPU_SHARE, DOUBTFUL_SHARE, KERNEL_LAG_MS, PROMISED_MS, SEND_DELAY_MS, STALL_MS
from shared.numbers.documentation import with_tables


def with_all_tables(page: str) -> str:
    """The page with new tables of metrics, fields, flags, grades and SLO presets."""
    return with_tables(page, {"flags": _flags(), "grades": _grades(), "presets": _presets()})


def _flags() -> str:
    rows = [
        f"| `{flag.name}` | {flag.meaning} | {flag.effect} | {'yes' if flag.oddity else ''} |"
        for flag in FLAGS.values()
    ]
    return "\n".join(["| flag | meaning | effect on the numbers | finding |", "|---|---|---|---|", *rows, ""])


def _presets() -> str:
    """The bounds of each preset. MLPerf bounds no other metrics."""
    rows = [
        f"| `{preset.name}` | {preset.bounds['ttft_ms']:,g} | {preset.bounds['tpot_ms']:g} | {preset.attainment:g} "
        f"| {preset.source} |"
        for preset in PRESETS.values()
    ]
    header = "| preset | TTFT (ms) | TPOT (ms/token) | `attainment` | source |"
    return "\n".join([header, "|---|---|---|---|---|", *rows, ""])


def _grades() -> str:
    """What each grade promises, and the most of each observation that it allows."""
    bounds = (PROMISED_MS, DOUBTFUL_SHARE, KERNEL_LAG_MS, STALL_MS, CPU_SHARE, SEND_DELAY_MS)
    rows = []
    for grade in PROMISED_MS:
        own, doubtful, lag, stall, cpu, delay = (bound[grade] for bound in bounds)
        promise = f"| **{grade}** | less than {own:g} ms | {doubtful:.0%} | {lag:,.0f} ms | {stall / 1_000:g} s "
        rows.append(f"{promise}| {cpu:.0%} | {delay:,.0f} ms |")
    header = (
        "| grade | the client's own share of a TTFT | doubtful first tokens | lag of the loop (P99) | longest stall "
        "| CPU in a second | delay of sends (P99) |"
    )
    return "\n".join(
        [header, "|---|---|---|---|---|---|---|", *rows, "| **D** | not known to be less | more | | | | |", ""]
    )


if __name__ == "__main__":
    sys.stdout.write(with_all_tables(sys.stdin.read()))
