"""The three traces: units, exact stamps, and requests that cannot be sent again."""

import pytest

from shared.workloads.rows import TraceRow
from tests.shared.workloads.formats.read import errors, read

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
BURSTGPT = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"


def test_mooncake_has_milliseconds_lengths_and_blocks() -> None:
    content = (
        '{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}\n'
        '{"timestamp": 27482, "input_length": 512, "output_length": 1, "hash_ids": [3]}\n'
    )
    rows, facts = read(content, "mooncake")
    assert rows == [TraceRow(0, 6758, 500, (0, 1)), TraceRow(27_482_000_000, 512, 1, (3,))]
    assert facts.span_s == 27.482


def test_azure_has_seven_digits_of_a_second_and_begins_at_zero() -> None:
    content = AZURE + (
        "2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319601,3180,8\r\n"
        "2023-11-16T18:17:05Z,1,1\r\n2023-11-16 19:17:05.000001+01:00,1,1\r\n"
    )
    rows, _ = read(content, "azure")
    assert [row.at_ns for row in rows if isinstance(row, TraceRow)] == [0, 52_000_100, 1_020_040_000, 1_020_041_000]


def test_burstgpt_leaves_failures_out_and_counts_them() -> None:
    content = (
        BURSTGPT + "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,0,1087,API log\n118,GPT-4,417,276,693,x\n"
    )
    rows, facts = read(content, "burstgpt")
    assert rows == [TraceRow(5_000_000_000, 472, 18), TraceRow(118_000_000_000, 417, 276)]
    assert facts.left_out == {"failed_request": 1}
    assert (facts.rows, facts.span_s) == (2, 113.0)


def test_a_request_without_input_or_output_cannot_be_sent_again() -> None:
    _, facts = read(AZURE + "2023-11-16 18:17:03,5,0\n2023-11-16 18:17:03,0,5\n2023-11-16 18:17:03,5,5\n", "azure")
    assert facts.left_out == {"no_output_tokens": 1, "no_input_tokens": 1}


@pytest.mark.parametrize(
    ("file_format", "content", "message"),
    [
        ("mooncake", '{"timestamp": 1, "input_length": 5}', "object missing required field output_length"),
        ("mooncake", '{"timestamp": -1, "input_length": 5, "output_length": 5}', "timestamp: must not be negative"),
        ("mooncake", '{"timestamp": 1e308, "input_length": 5, "output_length": 5}', "timestamp: must not be negative"),
        ("mooncake", '{"timestamp": 1, "input_length": -5, "output_length": 5}', "must have 0 to 10,000,000 input"),
        (
            "mooncake",
            '{"timestamp": 1, "input_length": 512, "output_length": 5, "hash_ids": [1, 2]}',
            "hash_ids: has 2 blocks of 512 tokens, more than input_length 512 has",
        ),
        ("azure", AZURE + "yesterday,1,1", "TIMESTAMP: must be a date such as"),
        ("azure", AZURE + "2023-13-16 18:17:03,1,1", "TIMESTAMP: month must be in 1..12"),
        ("azure", AZURE + "2023-11-16 18:17:03,1.5,1", "ContextTokens: must be a whole number"),
        ("azure", "a,b\n", "has no column TIMESTAMP and ContextTokens and GeneratedTokens; it has a, b"),
        ("burstgpt", BURSTGPT + "nan,m,1,1,2,x", "Timestamp: must not be negative"),
        ("burstgpt", BURSTGPT + "x,m,1,1,2,x", "Timestamp: must be a number of seconds"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(file_format: str, content: str, message: str) -> None:
    ((_, found),) = errors(content, file_format)
    assert message in found
