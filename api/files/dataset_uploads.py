"""Makes datasets of uploaded files: reads each in a thread, piece by piece, and stores its rows."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict
from typing import BinaryIO

import orjson

from api.files.uploads import Upload, receive, temporary_file
from api.http.at_once import AtOnce
from shared.db.datasets.repository import DatasetRepository, NewDataset
from shared.db.tables.datasets import Dataset
from shared.errors import FieldError, InvalidRequest
from shared.workloads.formats.options import ReadOptions, kind_of
from shared.workloads.formats.reading import Facts, read_file
from shared.workloads.formats.report import LineError
from shared.workloads.row_blocks import Block

MAX_DATASET_BYTES = 64_000_000
# Counts the texts of all datasets, so that they can be compared.
TOKENIZER = "o200k"
# A file must have arrived this long after its request began.
ARRIVAL_S = 300.0
# Each takes up to twice MAX_DATASET_BYTES on the disk, and a core while it is read.
UPLOADS_AT_ONCE = 2


def _count_tokens(texts: Sequence[str]) -> list[int]:
    # Imported by the first upload, in its thread: the vocabulary takes half a second to load.
    from shared.workloads.tokenizer import tokenizer_of

    return tokenizer_of("", TOKENIZER).count_all(texts)


class DatasetUploads:
    """Takes uploads of one caller. `places`: of the process."""

    def __init__(self, datasets: DatasetRepository, places: AtOnce, max_bytes: int = MAX_DATASET_BYTES) -> None:
        self._datasets = datasets
        self._max_bytes = max_bytes
        self._places = places

    async def take(
        self, pieces: AsyncIterator[bytes], name: str, options: ReadOptions, *, gzipped: bool
    ) -> tuple[Dataset, bool]:
        """(dataset, whether it is new). The same file, read in the same way, is stored once.

        Raises InvalidRequest that names the first wrong lines, and HTTPException for a file that is too large or if
        too many arrive at the same time.
        """
        with self._places.place(), temporary_file() as received, temporary_file() as kept:
            upload = await receive(pieces, received, self._max_bytes, gzipped=gzipped)
            identity = _identity(upload, options)
            stored = await self._datasets.by_identity(identity)
            if stored is not None:
                return stored, False
            blocks = BlockFile(kept)
            facts = await asyncio.to_thread(read_file, upload.file, options, _count_tokens, blocks.keep)
            if facts.errors:
                raise InvalidRequest([_field_error(error) for error in facts.errors])
            return await self._datasets.add(_new(name, upload, identity, options, facts), blocks)


class BlockFile:
    """Blocks on the disk until they are stored. Can be gone through more than once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # (first row, rows, bytes) of each block.
        self._index: list[tuple[int, int, int]] = []

    def keep(self, block: Block) -> None:
        self._file.write(block.data)
        self._index.append((block.first, block.rows, len(block.data)))

    def __iter__(self) -> Iterator[Block]:
        self._file.seek(0)
        for first, rows, size in self._index:
            yield Block(first, rows, self._file.read(size))


def _identity(upload: Upload, options: ReadOptions) -> str:
    # Which rows of ShareGPT are within the bounds depends on the tokenizer.
    document = [upload.sha256, options.format, options.of_format(), TOKENIZER]
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _field_error(error: LineError) -> FieldError:
    return FieldError(f"line {error.line}" if error.line else "body", error.message, "invalid_row")


def _new(name: str, upload: Upload, identity: str, options: ReadOptions, facts: Facts) -> NewDataset:
    document = asdict(facts)
    for field in ("errors", "rows", "turns"):
        del document[field]
    counted = kind_of(options.format) == "prompts"
    document |= {"token_source": "estimate" if counted else "trace", "tokenizer": TOKENIZER if counted else None}
    return NewDataset(
        name=name,
        format=options.format,
        options=dict(options.of_format()),
        sha256=upload.sha256,
        identity=identity,
        size=upload.size,
        rows=facts.rows,
        turns=facts.turns,
        facts=document,
    )
