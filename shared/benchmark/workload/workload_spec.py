"""The workload of a benchmark as its caller writes it: what is sent, in which order and size. Part of a spec."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    FailFast,
    Field,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from shared.benchmark.prompt import STRICT, to_tuple
from shared.benchmark.workload.dataset_spec import DatasetReference, DatasetSource
from shared.benchmark.workload.length_spec import LengthOrNumber
from shared.benchmark.workload.trace_spec import TraceSource
from shared.text import refuse_unstorable

MAX_PREFIX_TOKENS = 200_000
MAX_PREFIXES = 10_000
MAX_WEIGHTS = 10_000
# A seed that is left out is drawn from fewer, so that people can copy it.
_DRAWN_SEEDS = 2**31

Source = Literal["prompts", "generated", "builtin", "dataset", "trace"]
Kind = Literal["chat", "summarization", "extraction", "code", "translation", "reasoning", "long_context"]
Weight = Annotated[float, Field(gt=0, le=1e9)]
# An encoding, or a file in the folder of tokenizers.
TokenizerName = Annotated[
    str,
    StringConstraints(pattern=r"^(cl100k|o200k|harmony|qwen3\.5|[A-Za-z0-9_./-]{1,200}\.json)$"),
    AfterValidator(refuse_unstorable),
]

# The fields that only some sources take, and which these are.
_ONLY_FOR: Mapping[str, tuple[Source, ...]] = {
    "input_tokens": ("generated",),
    "token_factor": ("generated",),
    "output_tokens": ("prompts", "generated", "builtin", "dataset"),
    "kinds": ("builtin",),
    "weights": ("prompts",),
    "dataset": ("dataset",),
    "trace": ("trace",),
}
_NEEDS: Mapping[Source, str] = {"generated": "input_tokens", "dataset": "dataset", "trace": "trace"}


class SharedPrefix(BaseModel):
    """Texts that stand before many requests, as a long system prompt does in production."""

    model_config = STRICT

    tokens: int = Field(
        ge=1,
        le=MAX_PREFIX_TOKENS,
        description="Length of each prefix. It comes on top of the request's own length. Unit: tokens.",
        examples=[1024],
    )
    prefixes: int = Field(
        default=1,
        ge=1,
        le=MAX_PREFIXES,
        description="How many different prefixes there are. Each request that has one draws it from them.",
        examples=[4],
    )
    share: float = Field(
        default=1, gt=0, le=1, description="Share of the requests that have a prefix, from 0 to 1.", examples=[0.8]
    )


class CacheUse(BaseModel):
    """What is done about prompt caches. A caller writes `none`, `bust` or an object with `shared_prefix`."""

    model_config = STRICT

    # The word, which is no field of the object.
    word: SkipJsonSchema[Literal["none", "bust"] | None] = None
    shared_prefix: SharedPrefix | None = Field(default=None, description="Texts that requests share.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.word is None) == (self.shared_prefix is None):
            raise ValueError("must be none, bust or an object with shared_prefix")
        return self

    @model_serializer
    def _as_written(self) -> str | dict[str, dict[str, int | float]]:
        return self.word or ({} if self.shared_prefix is None else {"shared_prefix": self.shared_prefix.model_dump()})


def _word_to_object(value: Any) -> Any:
    return {"word": value} if isinstance(value, str) else value


Cache = Annotated[CacheUse, BeforeValidator(_word_to_object, json_schema_input_type=Literal["none", "bust"] | CacheUse)]


class WorkloadSpec(BaseModel):
    """What is sent. The same seed gives the same requests at the same places, in any run."""

    model_config = STRICT

    source: Source = Field(
        default="prompts",
        description="Where the requests come from. `prompts`: the benchmark's `prompts`. `generated`: text of "
        "`input_tokens`, another one in each request. `builtin`: about 200 prompts of several kinds that the service "
        "brings along. `dataset`: the rows of a stored `dataset`. `trace`: the requests of a stored `trace`, at its "
        "times.",
        examples=["generated"],
    )
    order: Literal["in_turn", "shuffled", "weighted"] = Field(
        default="in_turn",
        description="Order of a list of prompts or rows. `shuffled`: each round in a random order of its own. "
        "`weighted`: each request draws a prompt by `weights`.",
        examples=["shuffled"],
    )
    weights: Annotated[tuple[Weight, ...], FailFast(), BeforeValidator(to_tuple)] = Field(
        default=(),
        exclude_if=lambda value: not value,
        max_length=MAX_WEIGHTS,
        description="How often each prompt is drawn, in proportion to the others. One for each of `prompts`.",
        examples=[[3, 1]],
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=2**63 - 1,
        description="Decides every random draw: texts, lengths and order. 0 if left out. With `cache: bust` one is "
        "drawn at submit instead and written down, because a second run with equal texts would meet those of the "
        "first in the cache.",
        examples=[7],
    )
    kinds: Annotated[tuple[Kind, ...], BeforeValidator(to_tuple)] | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        description="Only `builtin` prompts of these kinds. All if left out.",
        examples=[["chat", "code"]],
    )
    dataset: DatasetSource | None = Field(
        default=None, description="The dataset of the source `dataset`, by its `id` or `sha256`.", examples=[{"id": 1}]
    )
    trace: TraceSource | None = Field(
        default=None,
        description="The trace of the source `trace`, by the `id` or `sha256` of its dataset.",
        examples=[{"id": 2, "time_scale": 0.5}],
    )
    input_tokens: LengthOrNumber | None = Field(
        default=None,
        description="Length of each `generated` input, with the marker of `cache: bust`, without a shared prefix, the "
        "system text and what the chat template of the model adds. Estimated by `tokenizer`. Unit: tokens.",
        examples=[512],
    )
    output_tokens: LengthOrNumber | None = Field(
        default=None,
        description="`max_tokens` of each request. Replaces `parameters.max_tokens`. Unit: tokens.",
        examples=[{"distribution": "lognormal", "mean": 200, "stdev": 150, "max": 2000}],
    )
    ignore_eos: bool = Field(
        default=False,
        description="Makes every answer as long as `output_tokens`, or as the dataset or trace says: adds "
        "`ignore_eos: true` and `min_tokens` to each body. For servers such as vLLM and SGLang; others may refuse the "
        "fields.",
        examples=[True],
    )
    cache: Cache = Field(
        default=CacheUse(word="none"),
        description="What is done about prompt caches. `none`: nothing. `bust`: each request begins with a marker of "
        "its own, so that no cache has it. `{shared_prefix: …}`: requests begin with texts that they share. The cached "
        "share of the input that the provider reports shows what came of it.",
        examples=["bust"],
    )
    tokenizer: TokenizerName | None = Field(
        default=None,
        description="Counts the tokens: `cl100k`, `o200k`, `harmony`, `qwen3.5`, or the path of a `tokenizer.json` "
        "in the server's folder of tokenizers. Chosen by the model if left out.",
        examples=["o200k"],
    )

    token_factor: float | None = Field(
        default=None,
        ge=0.1,
        le=10,
        exclude_if=lambda value: value is None,
        description="Tokens that the provider counts for each one that `tokenizer` counts, as the summary of an "
        "earlier run says in `tokens.per_estimate`. `generated` texts are then as long as the provider counts them. 1 "
        "if left out.",
        examples=[1.08],
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, sources in _ONLY_FOR.items():
            if getattr(self, name) not in (None, ()) and self.source not in sources:
                raise ValueError(f"{name} is only for source {' or '.join(sources)}, not {self.source}")
        needed = _NEEDS.get(self.source)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"source {self.source} needs {needed}")
        if self.source in ("generated", "trace") and self.order != "in_turn":
            raise ValueError(f"order {self.order} is only for lists of prompts, not for source {self.source}")
        if (self.order == "weighted") != bool(self.weights):
            raise ValueError("order weighted and weights belong together")
        if self.ignore_eos and self.output_tokens is None and self.source not in ("dataset", "trace"):
            raise ValueError("ignore_eos makes answers as long as output_tokens: set it as well")
        return self

    @property
    def is_endless(self) -> bool:
        """Whether only the load ends it. `repetitions` ends prompts and rows; a trace is sent once in each stage."""
        return self.source in ("generated", "builtin")

    def check_prompts(self, count: int) -> None:
        """Raises ValueError unless weights and ids fit the number of prompts."""
        if self.weights and len(self.weights) != count:
            raise ValueError(
                f"workload.weights must have one weight for each prompt: {count:,}, not {len(self.weights):,}"
            )

    @property
    def stored(self) -> DatasetReference | None:
        """The dataset or the trace that it sends. None: another source."""
        return self.dataset or self.trace

    def with_defaults(self) -> "WorkloadSpec":
        """As it is stored: with its seed."""
        if self.seed is not None:
            return self
        return self.model_copy(update={"seed": secrets.randbelow(_DRAWN_SEEDS) if self.cache.word == "bust" else 0})


def lists_prompts(spec: Mapping[str, Any]) -> bool:
    """Whether a stored spec, or that of an import, has prompts of its own."""
    workload = spec.get("workload")
    return not isinstance(workload, Mapping) or workload.get("source", "prompts") == "prompts"
