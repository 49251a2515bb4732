"""Service-level objectives (SLOs) of a benchmark: what a request must keep to be a good one. Part of the spec."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationInfo, model_validator

from shared.benchmark.extra_body import STORED
from shared.benchmark.prompt import STRICT
from shared.benchmark.slo.slo_presets import PRESETS

DEFAULT_ATTAINMENT = 0.95
# An SLO that the value must reach. All others are limits that the value must not exceed.
MINIMUM = "tokens_per_second"
_LONGEST_MS = 86_400_000


def _bound(definition: str, example: float) -> Any:
    return Field(
        default=None,
        gt=0,
        le=_LONGEST_MS,
        exclude_if=lambda value: value is None,
        description=f"{definition} Null: no such SLO.",
        examples=[example],
    )


class SloSpec(BaseModel):
    """What a request must keep to be a good one. Each bound is for single requests; a good one keeps all of them."""

    model_config = STRICT

    preset: Annotated[str, StringConstraints(max_length=63)] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Name of a preset, which gives the bounds that are left out. In place of the object, `slos` also "
        f"takes the name alone. One of: {', '.join(f'`{name}`' for name in PRESETS)}.",
        examples=["interactive_chat"],
    )
    ttft_ms: float | None = _bound("Largest `ttft_ms`. Unit: ms.", 500)
    ttfat_ms: float | None = _bound("Largest `ttfat_ms`. Unit: ms.", 2_000)
    tpot_ms: float | None = _bound("Largest `tpot_ms`. Unit: ms/token.", 50)
    latency_ms: float | None = _bound("Largest `latency_ms`. Unit: ms.", 5_000)
    effective_latency_ms: float | None = _bound(
        "Largest `effective_latency_ms`: from the time when the request was due. Open loop only. Unit: ms.", 6_000
    )
    max_stall_ms: float | None = _bound("Largest `max_stall_ms`. Unit: ms.", 1_000)
    tokens_per_second: float | None = _bound("Smallest `tokens_per_second`. Unit: tokens/s.", 20)
    attainment: float = Field(
        default=DEFAULT_ATTAINMENT,
        gt=0,
        le=1,
        description="Share of the attempted requests that must be good. 0.95 if left out; that of the preset if there "
        "is one.",
        examples=[0.95],
    )

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, value: Any, info: ValidationInfo) -> Any:
        """Fills in the preset's bounds. They are stored, so a later version with other presets changes no benchmark."""
        if info.context is STORED or not isinstance(value, Mapping) or not isinstance(name := value.get("preset"), str):
            return value
        preset = PRESETS.get(name)
        if preset is None:
            raise ValueError(f"there is no preset {name[:63]!r}: use one of {', '.join(PRESETS)}")
        return {**preset.bounds, "attainment": preset.attainment, **value}

    @model_validator(mode="after")
    def _something_to_keep(self) -> "SloSpec":
        if not self.bounds:
            raise ValueError(f"set a preset or at least one of {', '.join(BOUNDS)}")
        return self

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by metric."""
        return {name: bound for name in BOUNDS if (bound := getattr(self, name)) is not None}


# The metrics that may have a bound.
BOUNDS = tuple(name for name in SloSpec.model_fields if name not in ("preset", "attainment"))


def _named(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


# `slos` of a benchmark: an object, or the name of a preset.
Slos = Annotated[SloSpec, BeforeValidator(_named, json_schema_input_type=SloSpec | str)]
