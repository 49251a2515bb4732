"""A benchmark as its caller writes it. The API validates it, the database keeps it, the worker runs it."""

import math
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.text import StorableText, refuse_unstorable, unstorable_parts

MAX_PROMPTS = 10_000
MAX_REQUESTS = 1_000_000
MAX_CONCURRENCY = 1_024
MAX_METADATA_BYTES = 16_384
DEFAULT_MAX_TOKENS = 1_024
# An open loop has slots for the requests of so many seconds, where it is not said how many.
OPEN_LOOP_ROOM_S = 10

# Constraints first: the length that counts is the one without the space around.
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(refuse_unstorable)
]
Content = Annotated[StorableText, StringConstraints(min_length=1)]


def to_tuple(value: Any) -> Any:
    """Strict mode wants a tuple where JSON has an array."""
    return tuple(value) if isinstance(value, list) else value


def _text_to_prompt(value: Any) -> Any:
    return {"messages": [{"role": "user", "content": value}]} if isinstance(value, str) else value


_strict = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class Parameters(BaseModel):
    """Generation parameters. What a protocol does not know is refused at submit, not dropped."""

    model_config = _strict

    max_tokens: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Most output tokens. 1,024 where left out.", examples=[256]
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="Sampling temperature (Anthropic: at most 1).", examples=[0.0]
    )
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling share.", examples=[0.95])
    top_k: int | None = Field(default=None, ge=1, description="Sample from the k most likely tokens.", examples=[40])
    stop: Annotated[
        tuple[Content, ...] | Content | None, BeforeValidator(to_tuple, json_schema_input_type=list[str] | str | None)
    ] = Field(default=None, description="Text, or up to 16 texts, that end the output.", examples=[["\n\n"]])
    seed: int | None = Field(
        default=None, ge=0, le=2**63 - 1, description="Sampling seed (OpenAI protocol).", examples=[42]
    )
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="OpenAI protocol only.", examples=[0.0]
    )
    presence_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="OpenAI protocol only.", examples=[0.0]
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        default=None, description="OpenAI protocol only: how long reasoning models think.", examples=["low"]
    )
    thinking_budget_tokens: int | None = Field(
        default=None, ge=1_024, description="Anthropic only: switches extended thinking on.", examples=[2048]
    )

    @field_validator("stop")
    @classmethod
    def _few(cls, value: Any) -> Any:
        if isinstance(value, tuple) and not 1 <= len(value) <= 16:
            raise ValueError("must be one text or a list of 1 to 16")
        return value

    def over(self, base: "Parameters") -> "Parameters":
        """These parameters, with `base` for what is unset."""
        return base.model_copy(update=self.model_dump(exclude_none=True))


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = _strict

    role: Literal["user", "assistant"] = Field(description="Who speaks.", examples=["user"])
    content: Content = Field(description="Text of the turn.", examples=["Say hello in exactly 3 words"])


class Prompt(BaseModel):
    """A prompt with turns, or with a system text or parameters of its own."""

    model_config = _strict

    system: Content | None = Field(default=None, description="In place of the benchmark's `system`.")
    messages: Annotated[tuple[Message, ...], BeforeValidator(to_tuple)] = Field(
        min_length=1,
        max_length=1_000,
        description="The conversation, oldest first. The last turn is the user's.",
    )
    parameters: Parameters = Field(
        default_factory=Parameters, description="Over the benchmark's `parameters`, field by field."
    )

    @model_validator(mode="after")
    def _user_speaks_last(self) -> "Prompt":
        if self.messages[-1].role != "user":
            raise ValueError("the last message must have the role user")
        return self

    @property
    def text(self) -> str:
        """What a person would call the prompt: the last user turn."""
        return self.messages[-1].content


PromptOrText = Annotated[Prompt, BeforeValidator(_text_to_prompt, json_schema_input_type=str | Prompt)]


class Timeouts(BaseModel):
    """Deadlines of one request, in seconds. Each ends it as `timed_out` with an error kind of its own."""

    model_config = _strict

    connect_s: float = Field(default=10, gt=0, le=600, description="DNS, TCP and TLS of a new connection. Unit: s.")
    ttft_s: float = Field(default=120, gt=0, le=3_600, description="Sent to first token. Unit: s.")
    idle_s: float = Field(default=60, gt=0, le=3_600, description="Between two events; comments do not count. Unit: s.")
    total_s: float = Field(default=600, gt=0, le=86_400, description="Sent to the end of the stream. Unit: s.")


class BenchmarkSpec(BaseModel):
    """What to measure."""

    model_config = ConfigDict(
        **_strict,
        json_schema_extra={
            "examples": [
                {
                    "name": "Haiku Speed Test",
                    "model": "claude-3-haiku-20240307",
                    "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
                }
            ]
        },
    )

    name: Name = Field(
        description="For people; need not be unique. 1 to 200 characters.", examples=["Haiku Speed Test"]
    )
    model: Name = Field(
        description="Model id as the provider knows it. For models of `GET /models` it is enough.",
        examples=["claude-3-haiku-20240307"],
    )
    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        description="Name of a configured endpoint (`GET /providers`). Inferred from the model where left out.",
        examples=["anthropic"],
    )
    prompts: Annotated[tuple[PromptOrText, ...], BeforeValidator(to_tuple)] = Field(
        min_length=1,
        max_length=MAX_PROMPTS,
        description="Texts, or objects with `messages` and optional `system` and `parameters`. 1 to 10,000.",
        examples=[["Say hello in exactly 3 words"]],
    )
    system: Content | None = Field(
        default=None, description="System text of every prompt that has none of its own.", examples=["Be brief."]
    )
    parameters: Parameters = Field(default_factory=Parameters, description="Generation parameters of every prompt.")
    repetitions: int = Field(default=1, ge=1, le=10_000, description="How often each prompt is sent.", examples=[3])
    warmup: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Requests sent before the measured ones, over the same prompts in turn. Stored and costed, "
        "left out of statistics.",
        examples=[1],
    )
    concurrency: int = Field(
        default=1,
        ge=1,
        le=MAX_CONCURRENCY,
        description="Requests in flight at the same time (closed loop: one ends, the next is sent). "
        "With `request_rate`, the most.",
        examples=[4],
    )
    request_rate: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="Requests per second on a schedule made beforehand (open loop), whatever the answers take. "
        "`concurrency` is then the most in flight; where left out, room for answers of 10 s. Null: closed loop.",
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
    on_interrupt: Literal["resume", "fail"] = Field(
        default="resume",
        description="When its worker stops or dies: another goes on with what is missing and marks the run "
        "`interrupted`, or the run fails with what it has, for a measurement without a break.",
        examples=["resume"],
    )
    max_duration_s: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        description="Longest time that the run may take from its start. Then its streams are closed and it fails as "
        "`run_timeout`, with what it has. Unit: s. Null: no bound.",
        examples=[600],
    )
    timeouts: Timeouts = Field(default_factory=Timeouts, description="Deadlines of each request, in seconds.")
    metadata: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="JSON object of your own, kept and returned as it is. At most 16 kB.",
        examples=[{"team": "search", "commit": "4f2a91c"}],
    )

    @field_validator("metadata")
    @classmethod
    def _storable(cls, value: dict[str, Any]) -> dict[str, Any]:
        for path, problem in unstorable_parts(value):
            raise ValueError(f"{path.lstrip('.') or 'object'} {problem}")
        try:
            size = len(orjson.dumps(value))
        except (orjson.JSONEncodeError, RecursionError):
            raise ValueError("holds a number beyond 64 bits or is nested too deep") from None
        if size > MAX_METADATA_BYTES:
            raise ValueError(f"must be at most {MAX_METADATA_BYTES} bytes as JSON, is {size}")
        return value

    @model_validator(mode="after")
    def _bounded(self) -> "BenchmarkSpec":
        if self.planned_requests > MAX_REQUESTS:
            raise ValueError(
                f"prompts x repetitions + warmup must be at most {MAX_REQUESTS:,}, is {self.planned_requests:,}"
            )
        return self

    @model_validator(mode="after")
    def _arrivals_need_a_rate(self) -> "BenchmarkSpec":
        if self.request_rate is None and self.arrival != "constant":
            raise ValueError("arrival says how request_rate spaces requests: set request_rate as well")
        return self

    @property
    def planned_requests(self) -> int:
        """Every request that will be sent, warm-up included."""
        return len(self.prompts) * self.repetitions + self.warmup

    def with_defaults(self) -> "BenchmarkSpec":
        """The spec as it is stored: what was left out and matters to the numbers is written down."""
        update: dict[str, Any] = {}
        if self.parameters.max_tokens is None:
            update["parameters"] = self.parameters.model_copy(update={"max_tokens": DEFAULT_MAX_TOKENS})
        if self.request_rate is not None and "concurrency" not in self.model_fields_set:
            room = math.ceil(self.request_rate * OPEN_LOOP_ROOM_S)
            update["concurrency"] = max(1, min(room, MAX_CONCURRENCY, self.planned_requests))
        return self.model_copy(update=update)

    def effective_parameters(self, prompt: Prompt) -> Parameters:
        """The parameters that a prompt is sent with."""
        return prompt.parameters.over(self.parameters)
