"""Forms as browsers send them."""

import pytest

from api.pages.forms.values import MAX_FIELDS, WrongForm, parse


def test_values_are_read_with_their_spaces_and_letters() -> None:
    assert parse(b"model=gpt-4o&name=%C3%9Cber+alles%21&empty=") == {
        "model": "gpt-4o",
        "name": "Über alles!",
        "empty": "",
    }


def test_line_breaks_are_single_characters() -> None:
    assert parse(b"prompts=one%0D%0Atwo%0Athree%0Dfour") == {"prompts": "one\ntwo\nthree\rfour"}


def test_the_last_value_of_a_name_counts() -> None:
    assert parse(b"load=closed&load=open") == {"load": "open"}


def test_an_empty_body_is_an_empty_form() -> None:
    assert parse(b"") == {}


@pytest.mark.parametrize(
    "body",
    [b"\xff=1", b"name=%FF", b"no equals sign", "&".join(f"f{n}=1" for n in range(MAX_FIELDS + 1)).encode()],
    ids=["not ASCII", "not UTF-8", "no pairs", "too many fields"],
)
def test_what_no_page_here_sends_is_refused(body: bytes) -> None:
    with pytest.raises(WrongForm, match="the body is not a form"):
        parse(body)
