"""Makes the workload that a spec asks for."""

from pathlib import Path
from typing import cast

from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.dataset_spec import DatasetSource
from shared.benchmark.workload.trace_spec import TraceSource
from shared.benchmark.workload.workload import Workload
from shared.benchmark.workload.workload_spec import WorkloadSpec
from shared.workloads.answers import AnswerLengths, ExactAnswers
from shared.workloads.builtin import builtin_prompts
from shared.workloads.cache import CacheBusted, PrefixShared, marker
from shared.workloads.corpus import Corpus, corpus_of
from shared.workloads.datasets import DatasetWorkload
from shared.workloads.generated import Generated
from shared.workloads.numbering import Order, Rounds
from shared.workloads.order import Shuffled, Weighted
from shared.workloads.prompt_list import PromptList
from shared.workloads.rows import AnyRow, DatasetRows, Row, TraceRow
from shared.workloads.tokenizer import tokenizer_of
from shared.workloads.traces.schedule import TraceSchedule
from shared.workloads.traces.texts import TraceTexts
from shared.workloads.traces.workload import TraceWorkload


def workload_of(
    spec: BenchmarkSpec,
    rows: DatasetRows[AnyRow] | None = None,
    *,
    schedule: TraceSchedule | None = None,
    tokenizers: Path | None = None,
) -> Workload:
    """The workload of a spec with a `load` or a `workload`. Its places are numbered by stages.

    `rows`: those of the dataset or trace that the spec names. `schedule`: that of the trace, if it was made before.
    `tokenizers`: the folder with files that `workload.tokenizer` may name. Raises InvalidRequest if the tokenizer
    cannot be had, and ValueError if rows are needed and there are none.
    """
    wanted = spec.workload or WorkloadSpec()
    return _Maker(spec, wanted, tokenizers).workload(rows, schedule)


class _Maker:
    def __init__(self, spec: BenchmarkSpec, wanted: WorkloadSpec, tokenizers: Path | None) -> None:
        self._spec = spec
        self._wanted = wanted
        self._seed = wanted.seed or 0
        self._answers = AnswerLengths(wanted)
        self._tokenizers = tokenizers

    def workload(self, rows: DatasetRows[AnyRow] | None, schedule: TraceSchedule | None) -> Workload:
        cache = self._wanted.cache
        workload = self._plain(rows, schedule)
        if self._wanted.ignore_eos:
            workload = ExactAnswers(workload)
        if cache.word == "bust":
            return CacheBusted(workload, self._seed)
        if cache.shared_prefix is not None:
            return PrefixShared(workload, cache.shared_prefix, self._seed, self._corpus())
        return workload

    def _plain(self, rows: DatasetRows[AnyRow] | None, schedule: TraceSchedule | None) -> Workload:
        """Without what is done about caches and about the ends of answers."""
        if self._wanted.input_tokens is not None:
            return self._generated()
        dataset, trace = self._wanted.dataset, self._wanted.trace
        if (dataset or trace) and rows is None:
            raise ValueError(f"source {self._wanted.source} needs the rows of the dataset")
        if dataset is not None:
            return self._dataset(cast(DatasetRows[Row], rows), dataset)
        if trace is not None:
            return self._trace(cast(DatasetRows[TraceRow], rows), trace, schedule)
        return self._prompts()

    def _prompts(self) -> PromptList:
        builtin = self._wanted.source == "builtin"
        prompts = builtin_prompts(self._wanted.kinds) if builtin else self._spec.prompts
        return PromptList(self._spec, prompts, self._order(len(prompts)), self._answers)

    def _generated(self) -> Generated:
        # With a system text, the marker stands there.
        marked = self._wanted.cache.word == "bust" and self._spec.system is None
        return Generated(
            self._spec,
            self._wanted,
            self._corpus(),
            self._answers,
            before=(lambda place: marker(self._seed, place)) if marked else (lambda _place: ""),
        )

    def _dataset(self, rows: DatasetRows[Row], source: DatasetSource) -> DatasetWorkload:
        spec = self._spec
        return DatasetWorkload(
            rows,
            source,
            spec.model,
            spec.system,
            spec.parameters,
            order=self._order(len(rows)),
            max_tokens=self._answers.tokens,
        )

    def _trace(self, rows: DatasetRows[TraceRow], source: TraceSource, schedule: TraceSchedule | None) -> TraceWorkload:
        spec = self._spec
        if schedule is None:
            schedule = TraceSchedule((rows.row(number) for number in range(len(rows))), source)
        texts = TraceTexts(self._corpus().text, self._seed)
        return TraceWorkload(rows, schedule, texts, spec.model, spec.system, spec.parameters)

    def _order(self, count: int) -> Order:
        match self._wanted.order:
            case "in_turn":
                return Rounds(count)
            case "shuffled":
                return Shuffled(count, self._seed)
            case "weighted":
                return Weighted(self._wanted.weights, self._seed)

    def _corpus(self) -> Corpus:
        return corpus_of(tokenizer_of(self._spec.model, self._wanted.tokenizer, self._tokenizers))
