"""Dates of the API's documents. As texts they do not compare: one of a whole second has no fraction."""

from datetime import datetime


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
