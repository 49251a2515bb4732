"""Reads the endpoints that operators configure: a YAML or JSON list in a file or a variable."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.providers.endpoints import Endpoint


def read_endpoints(path: Path) -> tuple[Endpoint, ...]:
    """Raises ValueError with one line that names the file and says what is wrong. It quotes none of the file, which may
    hold a key.
    """
    try:
        parsed = parse_endpoints(path.read_text(encoding="utf-8"))
        return tuple(Endpoint.model_validate(item) for item in parsed)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        message = error["msg"].removeprefix("Value error, ")
        raise ValueError(f"{path}: {'.'.join(str(part) for part in error['loc'])}: {message}") from None
    except OSError as exc:
        raise ValueError(f"{path}: cannot be read: {exc.strerror or type(exc).__name__}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not text in UTF-8") from None
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}") from None


def parse_endpoints(text: str) -> Any:
    """The list in the text; its items are not validated yet. Raises ValueError."""
    # Imported here, because most installations have no such list.
    import yaml

    try:
        # A file of comments alone is an empty list.
        parsed = yaml.safe_load(text) or []
    except yaml.YAMLError:
        raise ValueError("is neither YAML nor JSON") from None
    if isinstance(parsed, dict):
        parsed = parsed.get("providers", [])
    if not isinstance(parsed, list):
        raise ValueError("must be a list of endpoints")
    return parsed
