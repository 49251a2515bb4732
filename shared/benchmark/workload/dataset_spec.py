"""The part of a workload that names a stored dataset: `workload.dataset`."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from shared.benchmark.prompt import STRICT

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# The database's ids are 64-bit.
MAX_ID = 2**63 - 1


class DatasetReference(BaseModel):
    """A stored dataset, by its id or by the hash of its file. A benchmark is stored with both."""

    model_config = STRICT

    id: int | None = Field(
        default=None, ge=1, le=MAX_ID, description="Id of the dataset (`GET /datasets`).", examples=[1]
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="SHA-256 of the uploaded file, as `sha256sum` prints it. With an `id` as well, both must fit.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )

    # Rows that are sent, and turns of all rows, written down at the submit with id and hash. What a caller writes here
    # is replaced.
    rows: SkipJsonSchema[int | None] = Field(default=None, ge=0, exclude_if=lambda value: value is None)
    turns: SkipJsonSchema[int | None] = Field(default=None, ge=0, exclude_if=lambda value: value is None)

    @model_validator(mode="after")
    def _names_one(self) -> "DatasetReference":
        if self.id is None and self.sha256 is None:
            raise ValueError("must have an id or a sha256")
        return self


class DatasetSource(DatasetReference):
    """Which dataset is sent, and how its conversations are."""

    max_turns: int | None = Field(
        default=None,
        ge=1,
        le=1_000,
        description="Turns that are sent of each conversation. 1 sends single prompts. Null: all.",
        examples=[4],
    )
    think_s: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Wait between an answer and the next turn, for turns that have no `think_s` of their own. Unit: s.",
        examples=[2.0],
    )

    @property
    def has_turns(self) -> bool:
        """Whether a row may be several requests. A turn that fails is the last of its row, so nobody knows how many."""
        return self.max_turns != 1 and self.rows is not None and (self.turns or 0) > self.rows
