"""A completed run as histories and leaderboards see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.benchmark.history.metrics import HistoryMetric, Reading
from shared.benchmark.history.settings import Settings, settings_of


@dataclass(frozen=True, slots=True)
class Run:
    """`spec`: the stored document without long texts; `summary`: the PARTS of the stored one."""

    id: int
    name: str
    model: str
    provider: str
    endpoint: Mapping[str, Any] | None
    started_at: datetime
    has_texts: bool
    spec: Mapping[str, Any]
    summary: Mapping[str, Any]
    grade: str | None

    @property
    def settings(self) -> Settings:
        """With its endpoint: for runs of one model at one endpoint."""
        return settings_of(self.spec, self.endpoint, has_texts=self.has_texts)

    @property
    def load_settings(self) -> Settings:
        """Without its endpoint: for runs of several."""
        return settings_of(self.spec, has_texts=self.has_texts)

    def read(self, metric: HistoryMetric) -> Reading:
        return metric.read(self.summary)
