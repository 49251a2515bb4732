"""What a benchmark that nobody runs yet waits for, as the API shows it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class WaitOut(BaseModel):
    """What a benchmark waits for at this moment."""

    model_config = ConfigDict(from_attributes=True)

    kind: Literal["turn", "ceiling", "exclusive"] = Field(
        description="`turn`: its turn, or a worker with room. `ceiling`: its endpoint has no room for its requests in "
        "flight (`max_streams`). `exclusive`: it is to run alone, or another benchmark does.",
        examples=["turn"],
    )
    message: str = Field(description="In words.", examples=["2 older benchmarks of its owner come first."])
