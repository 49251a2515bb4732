"""Generated requests: each has a text of its own, of a length that is drawn for it."""

from collections.abc import Callable, Sequence

from shared.benchmark.load.places import is_warmup
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.benchmark.workload.workload_spec import WorkloadSpec
from shared.workloads.answers import AnswerLengths
from shared.workloads.corpus import Corpus
from shared.workloads.lengths import Lengths

# Asks for more text than most output limits allow, so that an answer seldom ends by itself.
_TASK = "\n\nContinue this text at length."
# A shorter text has no room for it.
_SHORTEST_WITH_TASK = 32


class Generated(Workload):
    """Endless: the load says how many requests are sent. A result names its request by the place alone."""

    def __init__(
        self,
        spec: BenchmarkSpec,
        wanted: WorkloadSpec,
        corpus: Corpus,
        answers: AnswerLengths,
        *,
        before: Callable[[int], str] = lambda _place: "",
    ) -> None:
        """`wanted`: it has `input_tokens`.

        `before`: the text that is put before that of a place later on; its tokens are part of the length.
        """
        if wanted.input_tokens is None:
            raise ValueError("generated texts need input_tokens")
        self._model = spec.model
        self._system = spec.system
        self._parameters = spec.parameters
        self._seed = wanted.seed or 0
        self._lengths = Lengths(wanted.input_tokens, self._seed, "input")
        self._corpus = corpus
        self._answers = answers
        self._before = before
        self._factor = wanted.token_factor or 1
        self._task_tokens = corpus.tokenizer.count(_TASK)

    @property
    def length(self) -> None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn:
            return None
        return WorkItem(
            id=RequestId(place),
            prompt_index=place,
            repetition=-1 if is_warmup(place) else 0,
            model=self._model,
            messages=[{"role": "user", "content": self._text(place)}],
            system=self._system,
            parameters=self._answers.limit(self._parameters, place),
        )

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(prompt_index)

    def estimated_tokens(self, place: int) -> int | None:
        """None with a system text, whose tokens are not in the estimate."""
        return self._counted(place) if self._system is None else None

    def _counted(self, place: int) -> int:
        """The length of the text by the tokenizer."""
        return round(self._lengths.at(place) / self._factor)

    def _text(self, place: int) -> str:
        tokens = self._counted(place)
        if before := self._before(place):
            tokens -= self._corpus.tokenizer.count(before)
        key = f"{self._seed} {place}"
        if tokens < _SHORTEST_WITH_TASK:
            return self._corpus.text(max(tokens, 1), key)
        return self._corpus.text(tokens - self._task_tokens, key) + _TASK
