"""One of the benchmarks that are compared, as the database knows it. The rest of this folder reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.benchmark.run_spec import RunSpec
from shared.benchmark.status import Status

LABELS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Compared:
    """`label`: the letter that sentences call it. `prompt_set`: None if nobody knows which texts it sent.

    `has_texts`: False once retention has deleted some of its settings.
    """

    label: str
    id: int
    name: str
    model: str
    provider: str
    status: Status
    spec: RunSpec
    summary: Mapping[str, Any]
    endpoint: Mapping[str, Any] | None
    prompt_set: str | None
    started_at: datetime | None
    completed_at: datetime | None
    has_texts: bool = True

    @property
    def measurement(self) -> Mapping[str, Any]:
        return self.summary.get("measurement") or {}

    @property
    def grade(self) -> str | None:
        return self.measurement.get("grade")

    def has_same_texts(self, other: "Compared") -> bool:
        """Whether prompt 3 of both is the same text."""
        return self.prompt_set is not None and self.prompt_set == other.prompt_set
