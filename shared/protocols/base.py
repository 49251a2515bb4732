"""An adapter is everything about one wire protocol. Each protocol has one, in a file of its own.

The class holds what is true of the protocol everywhere; the registry lists the classes. An instance speaks with one
endpoint and remembers what its server refused. Adapters hold neither clock nor socket.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from shared.benchmark.prompt import Parameters
from shared.benchmark.results.record import RequestError
from shared.errors import FieldError
from shared.protocols.decoders import AnswerDecoder
from shared.protocols.sdk import Sdk


class Options(BaseModel):
    """What may differ between endpoints of one protocol. In an endpoint's entry each field is a key of its own.

    A protocol whose endpoints differ derives its own options; `description` of a field goes into the documentation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Adapter(ABC):
    """One wire protocol: its rules, its request, the meaning of its answers."""

    # What `protocol` of an endpoint says, and what people call it.
    name: ClassVar[str]
    title: ClassVar[str]
    # The SDK's base URL below the root of a server: empty, or `/v1`.
    base_path: ClassVar[str]
    # The fields of `Parameters` that a request can carry. All others are refused at submit.
    accepts: ClassVar[frozenset[str]]
    # The largest values that the protocol allows, if `Parameters` allows more.
    maxima: ClassVar[Mapping[str, float]] = {}
    options: ClassVar[type[Options]] = Options
    # Whether there are servers that take `ignore_eos` and `min_tokens` in its bodies.
    ignores_eos: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self._options = options

    @classmethod
    def parameter_errors(cls, path: str, parameters: Parameters) -> list[FieldError]:
        """An error for each parameter that the protocol does not have or allow. `path` is that of `parameters`."""
        given = parameters.model_dump(exclude_none=True)
        lacking = f"the {cls.name} protocol has no such parameter"
        errors = [
            FieldError(f"{path}.{name}", lacking, "unsupported_parameter") for name in given if name not in cls.accepts
        ]
        for name, most in cls.maxima.items():
            if given.get(name, most) > most:
                message = f"must be at most {most:g} for the {cls.name} protocol"
                errors.append(FieldError(f"{path}.{name}", message, "out_of_range"))
        return errors

    @classmethod
    def conflicts(cls, path: str, parameters: Parameters) -> list[FieldError]:
        """An error for each parameter that contradicts another one. `parameters`: what a prompt is sent with."""
        return []

    @classmethod
    @abstractmethod
    def sdk(cls) -> Sdk:
        """How the official SDK sends a request.

        Import the SDK inside this method: the import takes seconds, and the API does not need it.
        """

    @abstractmethod
    def body(
        self, model: str, messages: Sequence[Mapping[str, str]], system: str | None, parameters: Parameters
    ) -> dict[str, Any]:
        """The JSON body of a request for a streamed answer."""

    @abstractmethod
    def decoder(self, headers: Mapping[str, str]) -> AnswerDecoder:
        """A decoder for one answer. `headers`: those of the answer; the names are in lower case."""

    def current_body(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The planned body without the fields that the server has refused since."""
        return body

    def retry_body(self, body: Mapping[str, Any], error: RequestError) -> dict[str, Any] | None:
        """The body to retry without the rejected field; None if a retry cannot help."""
        return None


def given_values(parameters: Parameters, names: Iterable[str]) -> dict[str, Any]:
    """The parameters of these names that are set, for bodies that carry them under the same names."""
    return {name: value for name in names if (value := getattr(parameters, name)) is not None}
