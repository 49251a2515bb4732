"""A length in tokens as a caller writes it: a number, or a distribution with bounds. Part of a workload's spec."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, FailFast, Field, model_validator

from shared.benchmark.prompt import STRICT, to_tuple

MAX_TOKENS = 1_000_000
MAX_VALUES = 10_000

Tokens = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
_Weight = Annotated[float, Field(gt=0, le=1e9)]
_ValueAndWeight = Annotated[tuple[Tokens, _Weight], BeforeValidator(to_tuple)]

# What each distribution needs, beside `min` and `max`, which all but `fixed` may have.
_NEEDS: dict[str, tuple[str, ...]] = {
    "fixed": ("value",),
    "uniform": ("min", "max"),
    "normal": ("mean", "stdev"),
    "lognormal": ("mean", "stdev"),
    "empirical": ("values",),
}


class Length(BaseModel):
    """A length in tokens. Values below `min` or above `max` are drawn again, so none piles up at a bound."""

    model_config = STRICT

    distribution: Literal["fixed", "uniform", "normal", "lognormal", "empirical"] = Field(
        description="`fixed` needs `value`; `uniform` `min` and `max`; `normal` and `lognormal` `mean` and `stdev`; "
        "`empirical` `values`.",
        examples=["lognormal"],
    )
    value: Tokens | None = Field(default=None, description="The length of every request. Unit: tokens.")
    mean: float | None = Field(
        default=None,
        ge=1,
        le=MAX_TOKENS,
        description="Mean of the lengths (for `lognormal` too: not that of their logarithms), before `min` and `max` "
        "cut the distribution off. Unit: tokens.",
        examples=[512],
    )
    stdev: float | None = Field(
        default=None, gt=0, le=MAX_TOKENS, description="Standard deviation, likewise. Unit: tokens.", examples=[128]
    )
    min: Tokens | None = Field(default=None, description="Shortest length. 1 if left out. Unit: tokens.")
    max: Tokens | None = Field(
        default=None, description=f"Longest length. {MAX_TOKENS:,} if left out. Unit: tokens.", examples=[4096]
    )
    values: Annotated[tuple[_ValueAndWeight, ...], FailFast(), BeforeValidator(to_tuple)] = Field(
        default=(),
        exclude_if=lambda value: not value,
        max_length=MAX_VALUES,
        description="Pairs of a length and its weight: `[[128, 3], [2048, 1]]` draws 128 three times as often as 2048.",
        examples=[[[128, 3], [2048, 1]]],
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needs = _NEEDS[self.distribution]
        given = {name for name in type(self).model_fields if getattr(self, name) not in (None, ())} - {"distribution"}
        allowed = {*needs} if self.distribution == "fixed" else {*needs, "min", "max"}
        if missing := [name for name in needs if name not in given]:
            raise ValueError(f"{self.distribution} needs {' and '.join(missing)}")
        if surplus := sorted(given - allowed):
            raise ValueError(f"{self.distribution} does not take {' and '.join(surplus)}")
        if self.lowest > self.highest:
            raise ValueError("min must not be greater than max")
        if self.mean is not None and not self.lowest <= self.mean <= self.highest:
            raise ValueError("mean must be between min and max")
        if self.values and not any(self.lowest <= value <= self.highest for value, _ in self.values):
            raise ValueError("values must have one between min and max")
        return self

    @property
    def lowest(self) -> int:
        return self.value or self.min or 1

    @property
    def highest(self) -> int:
        return self.value or self.max or MAX_TOKENS


def _number_to_length(value: Any) -> Any:
    return {"distribution": "fixed", "value": value} if isinstance(value, int | float) else value


LengthOrNumber = Annotated[Length, BeforeValidator(_number_to_length, json_schema_input_type=Tokens | Length)]
