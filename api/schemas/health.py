"""Liveness and readiness."""

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(description="Always `ok`: the process answers.", examples=["ok"])
    version: str = Field(description="Version of the service.", examples=["0.1.0"])


class Check(BaseModel):
    """One part that benchmarks need."""

    ok: bool = Field(description="Whether it works.", examples=[True])
    detail: str = Field(description="What was found, in words.", examples=["2 live workers"])


class Readiness(BaseModel):
    """Whether a submitted benchmark would run now, and if not, which part is missing."""

    status: Literal["ready", "not_ready"] = Field(
        description="`ready` only when database, queue and worker are ok.", examples=["ready"]
    )
    database: Check = Field(description="The database answers and has the right schema.")
    queue: Check = Field(description="Redis answers. Without it, benchmarks start later, at a worker's next sweep.")
    worker: Check = Field(description="At least one worker has reported within `LEASE_S`.")
    providers_file: Check = Field(
        description="This API could read the last version of PROVIDERS_FILE. If not, it goes on with the endpoints "
        "from before, and is still `ready`."
    )
