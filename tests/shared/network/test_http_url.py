"""A configured URL is one that requests can be sent to, and no secret in it is repeated."""

import pytest

from shared.network import http_url

WRONG = [
    *("", "h", "//h", "ftp://h", "http://", "http:///v1", "http://:80", "https://[bad", "https://[::1", "http://[h]/"),
    *("http://h:0", "http://h:99999", "http://h:abc", "http://h:-1", "http://h:8 0", "http://h /v1", "http://h/a b"),
    *("http://h\n", "http://h/\r\nx: y", "http://h\0", "http://h/\t", "\thttp://h"),
    *(
        "http://u:p4ss@h",
        "http://@h/v1",
        "http://u@h",
        "http://h?",
        "http://h/?key=p4ss",
        "http://h#",
        "http://h/#p4ss",
    ),
]


@pytest.mark.parametrize("url", WRONG)
def test_what_no_request_can_be_sent_to_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be an http|must hold no") as caught:
        http_url.check(url)
    assert "p4ss" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://h/",
        "HTTP://h:8000/v1",
        "http://127.0.0.1:65535/a/b",
        "http://[::1]:80/v1",
        "https://h:/@x",
        "https://bücher.example",
    ],
)
def test_other_urls_are_left_as_they_are(url: str) -> None:
    assert http_url.check(url) == url
