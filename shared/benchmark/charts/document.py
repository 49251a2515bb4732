"""The document of all charts, as `GET /benchmarks/{id}/charts` shows it and the table `charts` keeps it."""

from typing import Any

from shared.benchmark.charts.columns import ChartColumns
from shared.benchmark.charts.distribution import distribution
from shared.benchmark.charts.fit import fit
from shared.benchmark.charts.over_time import over_time
from shared.benchmark.charts.sample import sample

DISTRIBUTIONS = ("ttft_ms", "latency_ms", "tpot_ms")
# Times of a request by its tokens.
FITS = {
    f"{time}_by_{tokens}": (f"{time}_ms", f"{tokens}_tokens")
    for time in ("ttft", "latency")
    for tokens in ("input", "output")
}


def charts_of(columns: ChartColumns) -> dict[str, Any]:
    """Distributions and fits are over succeeded requests. Takes about 0.2 s for 100,000 results."""
    succeeded = columns.succeeded
    prompts = columns.prompt_index[succeeded]
    return {
        **{name: distribution(getattr(columns, name)[succeeded]) for name in DISTRIBUTIONS},
        "over_time": over_time(columns),
        "requests": sample(columns),
        "fits": {
            name: fit(getattr(columns, tokens)[succeeded], getattr(columns, time)[succeeded], prompts)
            for name, (time, tokens) in FITS.items()
        },
    }
