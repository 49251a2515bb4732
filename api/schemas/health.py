"""Liveness and readiness."""

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(description="Always `ok`: that it answers is the news.", examples=["ok"])
    version: str = Field(description="Version of the service.", examples=["0.1.0"])


class Check(BaseModel):
    """One needed part."""

    ok: bool = Field(description="Whether it works.", examples=[True])
    detail: str = Field(description="What was found, in words.", examples=["2 live workers"])


class Readiness(BaseModel):
    """Whether a submitted benchmark would run now, and if not, for lack of what."""

    status: Literal["ready", "not_ready"] = Field(
        description="`ready` only when every check is ok.", examples=["ready"]
    )
    database: Check = Field(description="The database answers and has the right schema.")
    queue: Check = Field(description="Redis answers. Without it benchmarks start late, at a worker's next sweep.")
    worker: Check = Field(description="At least one worker has reported lately.")
