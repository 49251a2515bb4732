"""How a benchmark shares its worker and its endpoint with others: the fields of a spec that say so."""

from typing import Annotated

from pydantic import Field

Exclusive = Annotated[
    bool,
    Field(
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: not value,
        description="Quiet mode: no other benchmark runs on its worker or against its endpoint meanwhile. It waits "
        "until both are free, and younger benchmarks of the endpoint wait behind it.",
        examples=[False],
    ),
]
ShareEndpoint = Annotated[
    bool,
    Field(
        exclude_if=lambda value: not value,
        description="Its requests do not count against the endpoint's `max_streams`, and it does not wait for room "
        "there. Only exclusive benchmarks keep it from running. Not together with `exclusive`.",
        examples=[False],
    ),
]
