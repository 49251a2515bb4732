"""The values of a form as a browser sends them: `application/x-www-form-urlencoded`, with bounds."""

from urllib.parse import parse_qsl

MEDIA_TYPE = "application/x-www-form-urlencoded"
# The largest form here has about sixty fields.
MAX_FIELDS = 200

# The field's name and its text. Fields that are not in the form are not in it.
Values = dict[str, str]


class WrongForm(ValueError):
    """The body is no form that a page here sends. `str()` says why."""


def parse(body: bytes | bytearray) -> Values:
    """The values by name; the last of a name counts. Line breaks are `\\n`. Raises WrongForm."""
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as exc:
        # Its subclass UnicodeDecodeError would quote what was sent.
        why = "it is not UTF-8" if isinstance(exc, UnicodeDecodeError) else str(exc)
        raise WrongForm(f"the body is not a form: {why[:100]}") from None
    # Browsers send each line break of a text area as two characters.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}
