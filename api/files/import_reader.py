"""Reads and checks the file of an import, in a thread. Nothing is stored before the whole file is known to be right."""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, NoReturn, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from api.files.packed_results import PackedResults
from api.files.shown_documents import check_label, check_numbers, check_shown
from api.schemas.benchmarks import RunError
from api.schemas.measurement import Measurement
from api.schemas.prices import PriceOut
from api.schemas.summary import Summary
from api.schemas.target import EndpointOut, TargetOut
from api.submission.as_submitted import as_submitted, refusal
from shared.benchmark.extra_body import STORED
from shared.benchmark.prompt import Prompt
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.slo.slo_spec import SloSpec
from shared.benchmark.spec import MAX_PROMPTS, MAX_REQUESTS, BenchmarkSpec
from shared.benchmark.without_texts import spec_without_texts
from shared.benchmark.workload.workload_spec import lists_prompts
from shared.errors import InvalidRequest
from shared.exports.document import FORMAT, VERSION
from shared.exports.imported import BenchmarkIn, HeadIn, ResultIn
from shared.exports.json_items import NotJson, split
from shared.text import unstorable_parts

# A result has two texts of a million characters, and a timeline.
MAX_ITEM_BYTES = 24_000_000
# Everything but prompts and results.
MAX_HEAD_BYTES = 16_000_000
# The warm-up of every stage comes on top of the measured requests.
MAX_RESULTS = 2 * MAX_REQUESTS

# JSON documents of a benchmark, and what shows them; those with numbers apart.
_TEXTS: dict[str, type[BaseModel]] = {"endpoint": EndpointOut, "target": TargetOut, "error": RunError}
_NUMBERS: dict[str, type[BaseModel]] = {"price": PriceOut, "summary": Summary}
# Fields that are no part of the content: another server has another id, and another version another hash.
_NO_CONTENT = ("id", "prompt_set")
_ARRAYS = ("prompts", "results")
_DELETED = "benchmark.texts_deleted_at says they were deleted"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ReadImport:
    """A checked file. `key`: the hash of its content; `spec`: None if retention has deleted the texts."""

    key: str
    head: HeadIn
    spec: BenchmarkSpec | None
    prompts: Sequence[dict[str, Any]]


def read_import(file: BinaryIO, packed: PackedResults, max_prompt_bytes: int) -> ReadImport:
    """Raises InvalidRequest that names what is wrong. The results are in `packed` then."""
    reader = _Reader(packed, max_prompt_bytes)
    try:
        for name, value in split(file, _ARRAYS, MAX_ITEM_BYTES):
            reader.take(name, value)
    except NotJson as exc:
        raise InvalidRequest.of("body", f"is no JSON export: {exc}", "invalid_json") from None
    return reader.finish()


class _Reader:
    def __init__(self, packed: PackedResults, max_prompt_bytes: int) -> None:
        self._packed = packed
        self._max_prompt_bytes = max_prompt_bytes
        self._head: dict[str, Any] = {}
        self._head_bytes = self._prompt_bytes = 0
        self._prompts: list[Prompt] = []
        # Each request once: its repetition and its prompt index in one number.
        self._requests = array("q")
        self._last_index = -1

    def take(self, name: str, value: bytes) -> None:
        if name == "results":
            self._result(value)
        elif name == "prompts":
            self._prompt(value)
        else:
            self._head_bytes += len(value)
            if self._head_bytes > MAX_HEAD_BYTES:
                _refuse("body", f"must have at most {MAX_HEAD_BYTES:,} bytes beside prompts and results", "too_long")
            self._head[name] = _parsed(name, value)

    def _result(self, value: bytes) -> None:
        place = f"results[{self._packed.count}]"
        if self._packed.count == MAX_RESULTS:
            _refuse("results", f"must have at most {MAX_RESULTS:,} items", "too_long")
        result = _validated(ResultIn, value, place)
        row = dict(result)
        if result.error is not None:
            row["error"] = result.error.model_dump()
        self._requests.append((result.repetition << 31) + result.prompt_index)
        self._last_index = max(self._last_index, result.prompt_index)
        self._packed.add(row)

    def _prompt(self, value: bytes) -> None:
        place = f"prompts[{len(self._prompts)}]"
        self._prompt_bytes += len(value)
        if self._prompt_bytes > self._max_prompt_bytes:
            _refuse("prompts", f"must have at most MAX_BODY_BYTES = {self._max_prompt_bytes:,} bytes", "too_long")
        if len(self._prompts) == MAX_PROMPTS:
            _refuse("prompts", f"must have at most {MAX_PROMPTS:,} items", "too_long")
        document = _parsed(place, value)
        if not isinstance(document, dict) or document.pop("prompt_index", None) != len(self._prompts):
            _refuse(f"{place}.prompt_index", f"must be {len(self._prompts)}, its place", "invalid_order")
        self._prompts.append(_validated(Prompt, orjson.dumps(document), place))

    def finish(self) -> ReadImport:
        self._packed.flush()
        if self._head.get("format") != FORMAT:
            _refuse("format", f"must be {FORMAT!r}: this is no JSON export of a benchmark", "wrong_format")
        version = self._head.get("version")
        if type(version) is int and version > VERSION:
            message = f"is {version}, which a newer server wrote; this one reads versions up to {VERSION}"
            _refuse("version", message, "wrong_version")
        head = _validated(HeadIn, orjson.dumps(self._head), "")
        self._check_documents(head)
        self._check_results(head.benchmark)
        spec = self._spec(head.benchmark)
        return ReadImport(
            self._key(head.benchmark),
            head,
            spec,
            [prompt.model_dump(mode="json", exclude_none=True) for prompt in self._prompts],
        )

    def _check_documents(self, head: HeadIn) -> None:
        for path, problem in unstorable_parts(self._head):
            _refuse(path.removeprefix("."), problem, "invalid_text")
        for check, documents in ((check_shown, _TEXTS), (check_numbers, _NUMBERS)):
            for name, schema in documents.items():
                if (document := getattr(head.benchmark, name)) is not None:
                    check(schema, document, f"benchmark.{name}")
        for number, segment in enumerate(head.segments):
            if segment.measurement is not None:
                check_numbers(Measurement, segment.measurement, f"segments[{number}].measurement")
        for number, stage in enumerate(head.stages):
            check_label(stage.label, f"stages[{number}].label")
            if stage.summary is not None:
                check_numbers(Summary, stage.summary, f"stages[{number}].summary")
        for name, keys in (
            ("segments", [segment.fence for segment in head.segments]),
            ("stages", [stage.number for stage in head.stages]),
        ):
            if len(set(keys)) != len(keys):
                _refuse(name, "must have each only once", "duplicate")

    def _check_results(self, benchmark: BenchmarkIn) -> None:
        if benchmark.done != self._packed.count:
            message = f"is {benchmark.done:,}, but there are {self._packed.count:,} results: the export is not complete"
            _refuse("benchmark.done", message, "incomplete")
        # Sorted: a set of a million numbers takes ten times the memory.
        requests = sorted(self._requests)
        if any(one == other for one, other in pairwise(requests)):
            _refuse("results", "must have one result for each prompt_index and repetition", "duplicate")
        if self._prompts and self._last_index >= len(self._prompts):
            _refuse("results", f"have the prompt_index {self._last_index}, which no prompt has", "unknown_prompt")

    def _spec(self, benchmark: BenchmarkIn) -> BenchmarkSpec | None:
        document = benchmark.spec
        spec: RunSpec
        try:
            if benchmark.texts_deleted_at is not None:
                spec = self._spec_without_texts(document)
            else:
                prompts = tuple(self._prompts) if lists_prompts(document) else ()
                spec = BenchmarkSpec.model_validate({**as_submitted(document), "prompts": prompts})
                spec = _with_stored_slos(spec, document)
        except ValidationError as exc:
            raise refusal(exc, "benchmark.spec") from None
        if not lists_prompts(document) and self._prompts:
            _refuse("prompts", "must be empty: the workload makes them", "too_long")
        if (spec.name, spec.model) != (benchmark.name, benchmark.model):
            _refuse("benchmark.spec", "must have the name and the model of the benchmark", "differs")
        return spec if isinstance(spec, BenchmarkSpec) else None

    def _spec_without_texts(self, document: dict[str, Any]) -> RunSpec:
        """One that retention has left. All that it deletes must be gone: nothing checks it any more."""
        if self._prompts:
            _refuse("prompts", f"must be empty: {_DELETED}", "too_long")
        spec = RunSpec.model_validate(document, context=STORED)
        left = spec_without_texts(document, spec.name)
        for name, value in document.items():
            if value is not None and left.get(name) != value:
                _refuse(f"benchmark.spec.{name}", f"must have no texts: {_DELETED}", "texts_deleted")
        return spec

    def _key(self, benchmark: BenchmarkIn) -> str:
        content = {name: value for name, value in self._head.items() if name != "benchmark"}
        content["benchmark"] = {
            name: value for name, value in self._head["benchmark"].items() if name not in _NO_CONTENT
        }
        digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
        for prompt in self._prompts:
            digest.update(orjson.dumps(prompt.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS))
        digest.update(self._packed.digest.encode())
        return digest.hexdigest()


def _with_stored_slos(spec: BenchmarkSpec, document: Mapping[str, Any]) -> BenchmarkSpec:
    """The spec with the SLOs of the file. They are all: a bound of the preset that is not there was removed."""
    try:
        slos = SloSpec.model_validate(document.get("slos"), context=STORED)
    except ValidationError:
        # There are none, or only the name of a preset.
        return spec
    return spec.model_copy(update={"slos": slos})


def _parsed(place: str, value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest.of(place, f"is not JSON: {exc.msg}", "invalid_json") from None


def _validated(schema: type[Model], value: bytes, place: str) -> Model:
    try:
        return schema.model_validate_json(value, strict=True)
    except ValidationError as exc:
        raise refusal(exc, place) from None


def _refuse(field: str, message: str, code: str) -> NoReturn:
    raise InvalidRequest.of(field, message, code)
