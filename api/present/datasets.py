"""Datasets and their rows as the API shows them."""

import msgspec

from api.schemas.datasets import DatasetOut, DatasetRowOut, HistoryMessageOut, TurnOut
from shared.db.datasets.repository import StoredRow
from shared.db.tables.datasets import Dataset
from shared.workloads.formats.options import kind_of
from shared.workloads.rows import Kind, Row, TraceRow

_ROW = msgspec.json.Decoder(Row)
_TRACE_ROW = msgspec.json.Decoder(TraceRow)


def dataset_out(dataset: Dataset) -> DatasetOut:
    """The row of a dataset, with its facts."""
    return DatasetOut.model_validate(
        {
            "id": dataset.id,
            "name": dataset.name,
            "format": dataset.format,
            "kind": kind_of(dataset.format),
            "options": dataset.options,
            "sha256": dataset.sha256,
            "size_bytes": dataset.size,
            "rows": dataset.rows,
            "turns": dataset.turns,
            **dataset.facts,
            "created_at": dataset.created_at,
        }
    )


def row_out(stored: StoredRow, kind: Kind) -> DatasetRowOut:
    """A row with the fields of its kind; those of the other kind are null."""
    if kind == "trace":
        request = _TRACE_ROW.decode(stored.document)
        return DatasetRowOut(
            row=stored.number,
            system=None,
            history=None,
            turns=None,
            at_s=request.at_ns / 1e9,
            input_tokens=request.input_tokens,
            output_tokens=request.output_tokens,
            hash_ids=list(request.hash_ids),
        )
    row = _ROW.decode(stored.document)
    return DatasetRowOut(
        row=stored.number,
        system=row.system,
        history=[HistoryMessageOut(role=role, content=text) for role, text in row.history],
        turns=[TurnOut(text=turn.text, max_tokens=turn.max_tokens, think_s=turn.think_s) for turn in row.turns],
        at_s=None,
        input_tokens=None,
        output_tokens=None,
        hash_ids=None,
    )
