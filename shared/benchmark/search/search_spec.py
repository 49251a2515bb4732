"""A search as its caller writes it: the highest load that meets the SLOs. `load.search` of a spec."""

from pydantic import BaseModel, Field, model_validator

from shared.benchmark.prompt import STRICT
from shared.benchmark.search.sweep_spec import LEAST_WAVES

MAX_SEARCH_CONCURRENCY = 1_024
MAX_PROBES = 50
# A probe whose requests all meet the SLOs is resolved for an attainment of 0.95 from 73 requests on.
LEAST_PROBE_REQUESTS = 150
# Of a wave that begins at once, more requests wait than later on. This many waves make that a small share.
PROBE_WAVES = 8


class SearchSpec(BaseModel):
    """Looks for the highest concurrency at which enough requests meet the SLOs. Needs `slos`.

    It doubles the concurrency until a probe fails, and then bisects. A probe passes if its attainment is at least
    `attainment`. It counts as resolved only if the whole 95 % Wilson interval of its attainment is on one side;
    otherwise the same load is measured again with more requests.
    """

    model_config = STRICT

    start: int = Field(
        default=4, ge=1, le=MAX_SEARCH_CONCURRENCY, description="Concurrency of the first probe.", examples=[4]
    )
    min: int = Field(
        default=1, ge=1, le=MAX_SEARCH_CONCURRENCY, description="The lowest concurrency to try.", examples=[1]
    )
    max: int = Field(
        default=MAX_SEARCH_CONCURRENCY,
        ge=1,
        le=MAX_SEARCH_CONCURRENCY,
        description="The highest concurrency to try.",
        examples=[256],
    )
    probe_s: float | None = Field(
        default=None,
        gt=0,
        le=3_600,
        description="How long a probe is measured; a repeat takes twice as long. Not with `probe_requests`. Unit: s.",
        examples=[30],
    )
    probe_requests: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Measured requests of a probe; a repeat has twice as many. By default eight for each stream, at "
        f"least {LEAST_PROBE_REQUESTS}. Never fewer than {LEAST_WAVES} for each stream, since fewer requests would not "
        "carry the load. Not with `probe_s`.",
        examples=[200],
    )
    warmup_s: float = Field(
        default=10,
        ge=0,
        le=3_600,
        description="Warm-up before the first probe of a load. A repeat is warmed up for half as long. 0: none. "
        "Unit: s.",
        examples=[10],
    )
    attainment: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of attempted requests that must meet the SLOs. By default that of `slos`, which must be "
        "below 1 then: no number of requests shows that all would meet them.",
        examples=[0.95],
    )
    tolerance: float = Field(
        default=0.1,
        ge=0.01,
        le=1,
        description="The search has converged if the lowest load that fails is at most this share above the highest "
        "that passes.",
        examples=[0.1],
    )
    max_probes: int = Field(default=15, ge=1, le=MAX_PROBES, description="Most probes, repeats included.")
    sustain_s: float = Field(
        default=60,
        ge=0,
        le=86_400,
        description="How long the load is sustained at the answer. If the SLOs are not met then, the next lower load "
        "that passed is sustained once. 0: not at all. Unit: s.",
        examples=[60],
    )

    @model_validator(mode="after")
    def _consistent(self) -> "SearchSpec":
        if self.probe_s is not None and self.probe_requests is not None:
            raise ValueError("a probe ends after `probe_s` or after `probe_requests`, not both")
        if not self.min <= self.start <= self.max:
            raise ValueError(
                f"`start` must lie between `min` and `max`: {self.start} is not in {self.min} to {self.max}"
            )
        return self

    def requests_at(self, concurrency: int) -> int | None:
        """Measured requests of the first probe at this load. None: the probe ends after `probe_s`."""
        if self.probe_s is not None:
            return None
        if self.probe_requests is None:
            return max(LEAST_PROBE_REQUESTS, PROBE_WAVES * concurrency)
        return max(self.probe_requests, LEAST_WAVES * concurrency)
