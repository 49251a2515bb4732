"""A prompt and its generation parameters, as a caller writes them. Part of a benchmark's spec."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    model_validator,
)

from shared.text import StorableText

Content = Annotated[StorableText, StringConstraints(min_length=1)]
# For everything that callers write: an unknown field is an error, and so is a text in place of a number.
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


def to_tuple(value: Any) -> Any:
    """Strict mode accepts only a tuple, but JSON has arrays."""
    return tuple(value) if isinstance(value, list) else value


def _few(value: Any) -> Any:
    # Before the items are looked at: each wrong one would be an error.
    if isinstance(value, list | tuple) and not 1 <= len(value) <= 16:
        raise ValueError("must be one text or a list of 1 to 16")
    return to_tuple(value)


def _text_to_prompt(value: Any) -> Any:
    return {"messages": [{"role": "user", "content": value}]} if isinstance(value, str) else value


class Parameters(BaseModel):
    """Generation parameters. A parameter that the protocol does not have is refused at submit, not dropped."""

    model_config = STRICT

    max_tokens: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Most output tokens. 1,024 if left out.", examples=[256]
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="Sampling temperature (Anthropic: at most 1).", examples=[0.0]
    )
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling share.", examples=[0.95])
    top_k: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="Sample from the k most likely tokens.", examples=[40]
    )
    stop: Annotated[
        tuple[Content, ...] | Content | None, BeforeValidator(_few, json_schema_input_type=list[str] | str | None)
    ] = Field(default=None, description="Text, or up to 16 texts, that end the output.", examples=[["\n\n"]])
    seed: int | None = Field(
        default=None, ge=0, le=2**63 - 1, description="Sampling seed (`openai` protocol).", examples=[42]
    )
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="`openai` protocol only.", examples=[0.0]
    )
    presence_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="`openai` protocol only.", examples=[0.0]
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        default=None, description="OpenAI protocols only: how long reasoning models think.", examples=["low"]
    )
    thinking_budget_tokens: int | None = Field(
        default=None,
        ge=1_024,
        le=2**63 - 1,
        description="Anthropic only: switches extended thinking on.",
        examples=[2048],
    )
    service_tier: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = Field(
        default=None,
        description="Tier to ask for: OpenAI `auto`, `default`, `flex`, `priority`; Anthropic `auto`, "
        "`standard_only`. Other providers have words of their own.",
        examples=["default"],
    )

    def over(self, base: "Parameters") -> "Parameters":
        """These parameters. Those that are not set come from `base`."""
        return base.model_copy(update=self.model_dump(exclude_none=True))


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = STRICT

    role: Literal["user", "assistant"] = Field(description="Who speaks.", examples=["user"])
    content: Content = Field(description="Text of the turn.", examples=["Say hello in exactly 3 words"])


class Prompt(BaseModel):
    """A prompt with turns, or with a system text or parameters of its own."""

    model_config = STRICT

    system: Content | None = Field(default=None, description="Replaces the benchmark's `system`.")
    messages: Annotated[tuple[Message, ...], FailFast(), BeforeValidator(to_tuple)] = Field(
        min_length=1,
        max_length=1_000,
        description="The conversation, oldest first. The last turn is the user's.",
    )
    parameters: Parameters = Field(
        default_factory=Parameters, description="Replace the benchmark's `parameters`, field by field."
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
