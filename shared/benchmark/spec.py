"""A benchmark as its caller writes it. The API validates it, the database keeps it, the worker runs it."""

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from shared.benchmark.extra_body import STORED, StoredExtraBody
from shared.benchmark.json_object import check_object
from shared.benchmark.load_spec import LoadSpec
from shared.benchmark.observe_spec import Observe
from shared.benchmark.prompt import STRICT, Content, Parameters, Prompt, PromptOrText, to_tuple
from shared.benchmark.slo_spec import Slos
from shared.benchmark.spec_rules import check_load, check_requests, check_short_form
from shared.benchmark.timeouts import Timeouts as Timeouts
from shared.benchmark.workload_spec import WorkloadSpec
from shared.text import refuse_unstorable

MAX_PROMPTS = 10_000
MAX_REQUESTS = 1_000_000
MAX_CONCURRENCY = 1_024
MAX_METADATA_BYTES = 16_384
DEFAULT_MAX_TOKENS = 1_024
# A closed loop without `concurrency` sends all its requests at once, up to this many.
DEFAULT_CONCURRENCY = 8
# An open loop without `concurrency` has room for the requests of this many seconds.
OPEN_LOOP_ROOM_S = 10

# The constraints come first, so that space around a name does not count for its length.
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(refuse_unstorable)
]


def _without_default(schema: dict[str, Any]) -> None:
    """For a field whose default depends on other fields: its description states it."""
    schema.pop("default", None)


class RunSpec(BaseModel):
    """What to measure, without the prompts. The database stores those separately, each text once."""

    model_config = STRICT

    name: Name = Field(
        description="For people. It need not be unique. 1 to 200 characters.", examples=["Haiku Speed Test"]
    )
    model: Name = Field(
        description="Model id as the provider knows it. Models that `GET /models` lists need no `provider`.",
        examples=["claude-3-haiku-20240307"],
    )
    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        description="Name of a configured endpoint (`GET /providers`). Inferred from the model if left out.",
        examples=["anthropic"],
    )
    system: Content | None = Field(
        default=None, description="System text of every prompt that has none of its own.", examples=["Be brief."]
    )
    parameters: Parameters = Field(default_factory=Parameters, description="Generation parameters of every prompt.")
    extra_body: StoredExtraBody = Field(
        # Not stored if it is empty: workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: not value,
        default_factory=dict,
        description="Further fields for the body of every request, such as `ignore_eos`, `chat_template_kwargs` or "
        "`provider`. They replace what parameters and endpoint say; objects are merged. Fields that have a place of "
        "their own here (`model`, `messages`, `stream`, output limit) and secrets are refused. At most 16 kB.",
        examples=[{"ignore_eos": True, "min_tokens": 256}],
    )
    repetitions: int = Field(default=1, ge=1, le=10_000, description="How often each prompt is sent.", examples=[3])
    warmup: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Requests sent before the measured ones, with the same prompts in turn. They are stored and "
        "priced, but left out of the statistics.",
        examples=[1],
    )
    warmup_prefix: bool = Field(
        default=True,
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is True,
        description="Whether each warm-up request starts with a short text of its own, so that it does not fill the "
        "provider's prompt cache for the measured requests.",
        examples=[True],
    )
    concurrency: int = Field(
        default=1,
        ge=1,
        le=MAX_CONCURRENCY,
        description="Requests in flight at the same time (closed loop: when one ends, the next is sent). If left out: "
        f"prompts x repetitions, at most {DEFAULT_CONCURRENCY}. With `request_rate`, the most that may be in flight; "
        f"if left out, the requests of {OPEN_LOOP_ROOM_S} s.",
        examples=[4],
        json_schema_extra=_without_default,
    )
    request_rate: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="Requests per second on a schedule made beforehand (open loop), however long answers take. "
        "`concurrency` is then the most that may be in flight. Null: closed loop.",
        examples=[5.0],
    )
    arrival: Literal["constant", "poisson"] = Field(
        default="constant",
        description="How `request_rate` spaces requests: evenly, or at random as independent users do.",
        examples=["poisson"],
    )
    arrival_seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="The same seed gives the same `poisson` schedule.", examples=[7]
    )
    load: LoadSpec | None = Field(
        default=None,
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is None,
        description="When to send, how much at a time, and when to end. It replaces the short form `concurrency`, "
        "`request_rate`, `arrival`, `arrival_seed` and `warmup`. With it, `repetitions` only says how many requests a "
        "stage without `requests` and `duration_s` sends. Null: the short form.",
        examples=[{"request_rate": 20, "arrival": "poisson", "duration_s": 60}],
    )
    workload: WorkloadSpec | None = Field(
        default=None,
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is None,
        description="What is sent, if not `prompts` in turn: their order, generated text or the prompts that the "
        "service brings along, lengths, and what is done about prompt caches. Without a `load` that says how many, "
        "`repetitions` is the number of requests of a source other than `prompts`.",
        examples=[{"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"}],
    )
    slos: Slos | None = Field(
        default=None,
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is None,
        description="Service-level objectives of a request: the summary counts the requests that meet all of them and "
        "gives their goodput. An object, or the name of a preset. Null: none.",
        examples=[{"ttft_ms": 500, "tpot_ms": 50, "attainment": 0.95}],
    )
    observe: Observe = True
    on_interrupt: Literal["resume", "fail"] = Field(
        default="resume",
        description="What happens if the worker stops or dies. `resume`: another worker sends the missing requests and "
        "marks the run `interrupted`. `fail`: the run fails and keeps its results, because it was to have no break.",
        examples=["resume"],
    )
    max_duration_s: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        description="Longest time that the run may take from its start. After it, the streams are closed and the run "
        "fails as `run_timeout`; it keeps its results. Unit: s. Null: no limit.",
        examples=[600],
    )
    timeouts: Timeouts = Field(default_factory=Timeouts, description="Deadlines of each request, in seconds.")
    metadata: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="JSON object of your own, stored and returned unchanged. At most 16 kB.",
        examples=[{"team": "search", "commit": "4f2a91c"}],
    )

    @field_validator("metadata")
    @classmethod
    def _storable(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.context is not STORED:
            check_object(value, MAX_METADATA_BYTES)
        return value

    @model_validator(mode="after")
    def _goes_together(self, info: ValidationInfo) -> "RunSpec":
        # A stored spec was checked, and has every field, or those that retention has left.
        if info.context is not STORED:
            check_short_form(self)
            check_load(self)
        return self

    @property
    def has_stages(self) -> bool:
        """Whether the stages of its run are stored: it has a `load` of its own."""
        return self.load is not None

    @property
    def needs_loads(self) -> bool:
        """Whether only workers that know `load`, `workload` and `slos` may run it."""
        return self.load is not None or self.workload is not None or self.slos is not None

    @classmethod
    def of_stored(cls, document: dict[str, Any]) -> "RunSpec":
        """The spec in a benchmark's row. A newer or older version may have written it: unknown fields are ignored."""
        return cls.model_validate(document, extra="ignore", context=STORED)


def _as_people_write_it(schema: dict[str, Any]) -> None:
    """Puts `prompts` next to `model` and `provider`, and adds an example."""
    fields = schema["properties"]
    first = {name: fields[name] for name in ("name", "model", "provider", "prompts")}
    schema["properties"] = first | fields
    schema["examples"] = [
        {
            "name": "Haiku Speed Test",
            "model": "claude-3-haiku-20240307",
            "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
        }
    ]


class BenchmarkSpec(RunSpec):
    """What to measure."""

    model_config = ConfigDict(json_schema_extra=_as_people_write_it)

    prompts: Annotated[tuple[PromptOrText, ...], FailFast(), BeforeValidator(to_tuple)] = Field(
        default=(),
        validate_default=True,
        min_length=1,
        max_length=MAX_PROMPTS,
        description="Texts, or objects with `messages` and optional `system` and `parameters`. 1 to 10,000. Required "
        "unless `workload.source` says that the requests come from elsewhere.",
        examples=[["Say hello in exactly 3 words"]],
        json_schema_extra=_without_default,
    )

    @field_validator("prompts", mode="wrap")
    @classmethod
    def _from_one_source(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        workload = info.data.get("workload")
        if workload is not None and workload.source != "prompts":
            if value:
                raise ValueError(f"must be left out: workload.source is {workload.source}")
            return ()
        # If `workload` is wrong, its own error is enough.
        if value == () and "workload" in info.data:
            raise PydanticKnownError("missing")
        return handler(value) if value != () else ()

    @model_validator(mode="after")
    def _bounded(self) -> "BenchmarkSpec":
        if self.workload is not None:
            self.workload.check_prompts(len(self.prompts))
        check_requests(self, MAX_REQUESTS)
        return self

    @property
    def listed_requests(self) -> int | None:
        """How many requests a stage sends that does not say when it ends. None: it is no list, or of unknown length."""
        workload = self.workload
        if workload is None or workload.source == "prompts":
            return self.measured_requests
        return self.measured_requests if workload.stored is not None and workload.stored.rows is not None else None

    @property
    def measured_requests(self) -> int:
        stored = None if self.workload is None else self.workload.stored
        if stored is not None and stored.rows is not None:
            return stored.rows if self.sends_trace else stored.rows * self.repetitions
        # A source other than prompts and rows has no rounds.
        return max(len(self.prompts), 1) * self.repetitions

    @property
    def sends_trace(self) -> bool:
        """Whether it sends a recorded trace, once."""
        return self.workload is not None and self.workload.trace is not None

    @property
    def planned_requests(self) -> int | None:
        """Every request that will be sent, warm-up included. None: a time or a result ends the run or a row."""
        if self.workload is not None and self.workload.dataset is not None and self.workload.dataset.has_turns:
            return None
        if self.load is not None:
            return self.load.planned_requests(self.listed_requests)
        return self.measured_requests + self.warmup

    def with_defaults(self) -> "BenchmarkSpec":
        """The spec as it is stored: every default that matters to the numbers is written down."""
        update: dict[str, Any] = {}
        if self.parameters.max_tokens is None:
            update["parameters"] = self.parameters.model_copy(update={"max_tokens": DEFAULT_MAX_TOKENS})
        if self.load is not None:
            update["load"] = self.load.with_defaults(self.listed_requests)
        elif "concurrency" not in self.model_fields_set:
            update["concurrency"] = self._default_concurrency()
        if self.workload is not None:
            update["workload"] = self.workload.with_defaults()
        return self.model_copy(update=update)

    def _default_concurrency(self) -> int:
        if self.sends_trace:
            # The most in flight. The trace itself says when requests are sent.
            return MAX_CONCURRENCY
        if self.request_rate is None:
            return min(self.measured_requests, DEFAULT_CONCURRENCY)
        room = math.ceil(self.request_rate * OPEN_LOOP_ROOM_S)
        return min(room, MAX_CONCURRENCY, self.measured_requests + self.warmup)

    def effective_parameters(self, prompt: Prompt) -> Parameters:
        """The parameters that a prompt is sent with."""
        return prompt.parameters.over(self.parameters)

    def parameters_at(self, prompt_index: int) -> Parameters:
        """The parameters of one prompt, or those of all if the requests come from elsewhere."""
        return self.effective_parameters(self.prompts[prompt_index]) if self.prompts else self.parameters
