"""What the charts of a comparison call its runs."""

from api.pages.comparison_view import names_of


def names(*runs: tuple[str, str]) -> list[str]:
    documents = [
        {"label": label, "model": model, "provider": provider}
        for label, (model, provider) in zip("ABC", runs, strict=False)
    ]
    return names_of({"runs": documents})


def test_a_line_is_called_by_what_differs() -> None:
    assert names(("gpt", "east"), ("haiku", "east")) == ["A gpt", "B haiku"]
    assert names(("gpt", "east"), ("gpt", "west")) == ["A east", "B west"]
    assert names(("gpt", "east"), ("gpt", "east")) == ["A", "B"]
