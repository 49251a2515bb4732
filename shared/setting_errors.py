"""Words for wrong settings, without their values. For `shared.settings`."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def described(exc: ValidationError) -> str:
    """One line for each wrong variable."""
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    return "\n  ".join(["wrong settings:", *map(_line, errors)])


def _line(error: ErrorDetails) -> str:
    """`PROVIDERS[0].base_url: Field required`: the variable in capitals, then the place in its value."""
    variable, *place = error["loc"] or ("settings",)
    name = str(variable) if variable == "settings" else str(variable).upper()
    name += "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"
