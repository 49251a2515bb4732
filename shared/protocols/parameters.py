"""Whether a protocol can carry a benchmark's parameters. The API asks at submit."""

from shared.benchmark.spec import BenchmarkSpec
from shared.errors import FieldError, InvalidRequest
from shared.protocols.base import Adapter

_MOST_ERRORS = 20


def check_parameters(spec: BenchmarkSpec, protocol: type[Adapter]) -> None:
    """Raises InvalidRequest that names each field which the protocol does not have or allow."""
    errors = protocol.parameter_errors("parameters", spec.parameters)
    for index, prompt in enumerate(spec.prompts):
        if len(errors) >= _MOST_ERRORS:
            break
        path = f"prompts[{index}].parameters"
        errors += protocol.parameter_errors(path, prompt.parameters)
        errors += protocol.conflicts(path, spec.effective_parameters(prompt))
    if spec.workload is not None and spec.workload.ignore_eos and not protocol.ignores_eos:
        message = f"the {protocol.name} protocol has no such field: leave it out"
        errors.append(FieldError("workload.ignore_eos", message, "unsupported_parameter"))
    if errors:
        raise InvalidRequest(errors[:_MOST_ERRORS])
