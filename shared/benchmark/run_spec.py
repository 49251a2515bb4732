"""What a benchmark measures, without its prompts: `RunSpec`, as the database keeps it. `spec.py` adds the prompts."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.benchmark.budget_spec import AllowUnpriced, BudgetOfBenchmark
from shared.benchmark.extra_body import STORED, StoredExtraBody
from shared.benchmark.json_object import check_object
from shared.benchmark.load.load_spec import LoadSpec
from shared.benchmark.observe_spec import Observe
from shared.benchmark.prompt import STRICT, Content, Parameters
from shared.benchmark.sharing_spec import Exclusive, ShareEndpoint
from shared.benchmark.slo.slo_spec import Slos
from shared.benchmark.spec_rules import check_load, check_sharing, check_short_form
from shared.benchmark.timeouts import Timeouts
from shared.benchmark.workload.workload_spec import WorkloadSpec
from shared.text import refuse_unstorable

MAX_CONCURRENCY = 1_024
MAX_METADATA_BYTES = 16_384
# A closed loop without `concurrency` sends all its requests at once, up to this many.
DEFAULT_CONCURRENCY = 8
# An open loop without `concurrency` has room for the requests of this many seconds.
OPEN_LOOP_ROOM_S = 10

# The constraints come first, so that space around a name does not count for its length.
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(refuse_unstorable)
]


def without_default(schema: dict[str, Any]) -> None:
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
        json_schema_extra=without_default,
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
    exclusive: Exclusive = False
    share_endpoint: ShareEndpoint = False
    budget_usd: BudgetOfBenchmark = None
    allow_unpriced: AllowUnpriced = False
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
            check_sharing(self)
        return self

    @property
    def has_stages(self) -> bool:
        """Whether the stages of its run are stored: it has a `load` of its own."""
        return self.load is not None

    @property
    def needs_loads(self) -> bool:
        """Whether only workers that know `load`, `workload` and `slos` may run it."""
        return self.load is not None or self.workload is not None or self.slos is not None

    @property
    def runs_apart(self) -> bool:
        """Whether only workers that know `exclusive` and `share_endpoint` may run it."""
        return self.exclusive or self.share_endpoint

    @classmethod
    def of_stored(cls, document: dict[str, Any]) -> "RunSpec":
        """The spec in a benchmark's row. A newer or older version may have written it: unknown fields are ignored."""
        return cls.model_validate(document, extra="ignore", context=STORED)
