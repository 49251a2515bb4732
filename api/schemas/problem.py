"""The problem document of every error (RFC 9457)."""

from datetime import datetime

from pydantic import BaseModel, Field


class WrongField(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="Path of the field as you sent it.", examples=["prompts[2].messages[0].content"])
    message: str = Field(description="What is wrong, and what would be right.", examples=["must not be empty"])
    code: str = Field(description="Code for programs; it never changes.", examples=["too_short"])


class ProblemBudget(BaseModel):
    """The budget that cannot pay."""

    budget: str = Field(
        description="`benchmark`: its own `budget_usd`. Else the day or month of its key or owner.",
        examples=["owner:acme:month:2026-11"],
    )
    cap_usd: float = Field(description="The budget. Unit: USD.", examples=[50.0])
    spent_usd: float = Field(description="What was spent of it. Unit: USD.", examples=[49.75])
    reserved_usd: float = Field(description="What requests in flight can cost at most. Unit: USD.", examples=[0.25])
    resets_at: datetime | None = Field(
        default=None,
        description="UTC instant at which the next day or month begins. Left out for its own budget.",
        examples=["2026-12-01T00:00:00Z"],
    )


class Problem(BaseModel):
    """What went wrong, for programs (`code`, `errors`) and for people (`title`, `detail`)."""

    type: str = Field(description="URI of the kind of problem.", examples=["urn:llmbench:problem:invalid_request"])
    title: str = Field(description="The kind of problem in words.", examples=["The request is not valid"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(description="This particular problem in words.", examples=["prompts: must not be empty"])
    instance: str = Field(description="Path of the request.", examples=["/benchmarks"])
    code: str = Field(description="Code for programs; it never changes.", examples=["invalid_request"])
    request_id: str | None = Field(
        default=None, description="`X-Request-ID` of the request; the logs have it too.", examples=["9f1c2b7e0d3a4c55"]
    )
    budget: ProblemBudget | None = Field(
        default=None, description="With `budget_exhausted`: the budget that cannot pay. Else left out."
    )
    errors: list[WrongField] = Field(default_factory=list, description="Each wrong field. Empty if no field is wrong.")
