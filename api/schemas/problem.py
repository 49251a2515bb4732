"""The problem document of every error (RFC 9457)."""

from pydantic import BaseModel, Field


class WrongField(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="Path of the field as you sent it.", examples=["prompts[2].messages[0].content"])
    message: str = Field(description="What is wrong, and what would be right.", examples=["must not be empty"])
    code: str = Field(description="Code for programs; it never changes.", examples=["too_short"])


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
    errors: list[WrongField] = Field(default_factory=list, description="Each wrong field. Empty if no field is wrong.")
