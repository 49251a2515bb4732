"""Texts of the API as sentences of a page."""

FILTERS = ("sentence",)


def sentence(text: str) -> str:
    """`the database does not answer` becomes `The database does not answer.`"""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
