"""Makes the workload that a spec asks for."""

from pathlib import Path

from shared.benchmark.prompt import Prompt
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload import Workload
from shared.benchmark.workload_spec import WorkloadSpec
from shared.workloads.answers import AnswerLengths
from shared.workloads.builtin import builtin_prompts
from shared.workloads.cache import CacheBusted, PrefixShared, marker
from shared.workloads.corpus import Corpus, corpus_of
from shared.workloads.generated import Generated
from shared.workloads.order import Order, Rounds, Shuffled, Weighted
from shared.workloads.prompt_list import PromptList
from shared.workloads.tokenizer import tokenizer_of


def workload_of(spec: BenchmarkSpec, tokenizers: Path | None = None, factor: float = 1) -> Workload:
    """The workload of a spec with a `load` or a `workload`. Its places are numbered by stages.

    `tokenizers`: the folder with files that `workload.tokenizer` may name. `factor`: tokens that the provider reports
    for each one that the tokenizer counts, if that is known. Raises InvalidRequest if the tokenizer cannot be had.
    """
    wanted = spec.workload or WorkloadSpec()
    seed = wanted.seed or 0
    workload = _requests(spec, wanted, seed, tokenizers, factor)
    if wanted.cache.word == "bust":
        return CacheBusted(workload, seed)
    if wanted.cache.shared_prefix is not None:
        return PrefixShared(workload, wanted.cache.shared_prefix, seed, _corpus(spec, wanted, tokenizers))
    return workload


def _requests(spec: BenchmarkSpec, wanted: WorkloadSpec, seed: int, tokenizers: Path | None, factor: float) -> Workload:
    answers = AnswerLengths(wanted)
    if wanted.input_tokens is None:
        prompts = builtin_prompts(wanted.kinds) if wanted.source == "builtin" else spec.prompts
        return PromptList(spec, prompts, _order(wanted, prompts, seed), answers)
    busts = wanted.cache.word == "bust" and spec.system is None
    return Generated(
        spec,
        wanted.input_tokens,
        seed,
        _corpus(spec, wanted, tokenizers),
        answers,
        before=(lambda place: marker(seed, place)) if busts else (lambda _place: ""),
        factor=factor,
    )


def _order(wanted: WorkloadSpec, prompts: tuple[Prompt, ...], seed: int) -> Order:
    match wanted.order:
        case "in_turn":
            return Rounds(len(prompts))
        case "shuffled":
            return Shuffled(len(prompts), seed)
        case "weighted":
            return Weighted(wanted.weights, seed)


def _corpus(spec: BenchmarkSpec, wanted: WorkloadSpec, tokenizers: Path | None) -> Corpus:
    return corpus_of(tokenizer_of(spec.model, wanted.tokenizer, tokenizers))
