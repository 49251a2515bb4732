"""A benchmark as its caller writes it. The API validates it, the database keeps it, the worker runs it."""

import math
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from shared.benchmark.prompt import Parameters, Prompt, PromptOrText, to_tuple
from shared.benchmark.run_spec import (
    DEFAULT_CONCURRENCY,
    MAX_CONCURRENCY,
    OPEN_LOOP_ROOM_S,
    RunSpec,
    without_default,
)
from shared.benchmark.spec_rules import check_requests

MAX_PROMPTS = 10_000
MAX_REQUESTS = 1_000_000
DEFAULT_MAX_TOKENS = 1_024


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
        json_schema_extra=without_default,
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
