"""The domain's errors. They know no HTTP; `api/http/errors.py` maps them to problem bodies, the CLI to exit codes.

LlmBenchError
 ├─ InvalidRequest        one or more fields are wrong
 │   ├─ UnknownProvider   no endpoint has that name
 │   ├─ UnknownModel      the provider cannot be inferred from the model
 │   ├─ MissingKey        no worker has the endpoint's key
 │   └─ KeyReused         an Idempotency-Key belongs to another request
 ├─ NotFound              no row has that id
 ├─ Conflict              the current state does not allow the operation
 │   └─ BudgetExhausted   a budget cannot pay for one more request
 ├─ LeaseLost             another worker holds the benchmark now; write nothing more
 └─ Unavailable           a part that is needed is missing or does not answer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path as the caller wrote it (`prompts[2].messages[0].content`) and what to do."""

    field: str
    message: str
    code: str


class LlmBenchError(Exception):
    """Base class of the domain's errors. `code` is stable and for programs, `message` is for people."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(LlmBenchError):
    """The caller's input is wrong; `errors` names each field."""

    code = "invalid_request"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)

    @classmethod
    def of(cls, field: str, message: str, code: str | None = None) -> "InvalidRequest":
        return cls([FieldError(field, message, code or cls.code)])


class UnknownProvider(InvalidRequest):
    code = "unknown_provider"


class UnknownModel(InvalidRequest):
    code = "unknown_model"


class MissingKey(InvalidRequest):
    code = "missing_key"


class KeyReused(InvalidRequest):
    code = "idempotency_key_reused"


class NotFound(LlmBenchError):
    code = "not_found"


class Conflict(LlmBenchError):
    code = "conflict"


class BudgetExhausted(Conflict):
    """A budget cannot pay for one more request. Amounts are in micro-dollars.

    `budget`: the key of its cap. `resets_at`: when it begins anew; None: never, it is that of a benchmark.
    """

    code = "budget_exhausted"

    def __init__(
        self, message: str, budget: str, *, cap: int, spent: int, reserved: int, resets_at: datetime | None
    ) -> None:
        super().__init__(message)
        self.budget = budget
        self.cap = cap
        self.spent = spent
        self.reserved = reserved
        self.resets_at = resets_at


class LeaseLost(LlmBenchError):
    code = "lease_lost"


class Unavailable(LlmBenchError):
    """Anybody may read `message`. `reason` is for logs: it may name hosts, users and databases."""

    code = "unavailable"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or message
