"""ShareGPT: pairs within bounds become turns, and the rest is counted by reason."""

import json
from typing import Any

from shared.workloads.rows import Row, Turn
from tests.shared.workloads.formats.read import errors, read


def talk(*lengths: int, roles: str = "hg") -> dict[str, Any]:
    """A conversation whose messages have these numbers of words. `roles`: of the messages in turn."""
    speakers = {"h": "human", "g": "gpt", "s": "system", "t": "tool"}
    return {
        "conversations": [
            {"from": speakers[roles[index % len(roles)]], "value": " ".join([f"w{index}"] * length)}
            for index, length in enumerate(lengths)
        ]
    }


def words(index: int, length: int) -> str:
    return " ".join([f"w{index}"] * length)


def left_out(*conversations: dict[str, Any], **options: int) -> dict[str, int]:
    return read(json.dumps([talk(9, 9), *conversations]), "sharegpt", **options)[1].left_out


def test_the_first_pair_is_a_prompt_with_the_length_of_its_answer() -> None:
    rows, facts = read(json.dumps([talk(4, 4), talk(10, 20, 5, 6)]), "sharegpt")
    assert rows == [Row((Turn(words(0, 4), 4),)), Row((Turn(words(0, 10), 20),))]
    assert (facts.left_out, facts.conversations) == ({}, 0)


def test_json_lines_are_read_as_an_array_is() -> None:
    documents = [talk(4, 4), talk(10, 20)]
    lines = "\n".join(json.dumps(document) for document in documents)
    assert read(lines, "sharegpt")[0] == read(json.dumps(documents, indent=1), "sharegpt")[0]


def test_what_is_outside_the_bounds_is_counted_by_reason() -> None:
    assert left_out(talk(9)) == {"too_few_turns": 1}
    assert left_out(talk(9, 9, roles="gt")) == {"no_pair": 1}
    assert left_out(talk(3, 9), talk(4, 9)) == {"prompt_too_short": 1}
    assert left_out(talk(1_025, 9), talk(1_024, 9)) == {"prompt_too_long": 1}
    assert left_out(talk(9, 3)) == {"answer_too_short": 1}
    assert left_out(talk(1_000, 1_049), talk(1_000, 1_048)) == {"sum_too_long": 1}


def test_every_bound_can_be_set() -> None:
    assert left_out(talk(9, 9), min_turns=4) == {"too_few_turns": 2}
    assert left_out(talk(3, 9), min_prompt_tokens=3) == {}
    assert left_out(talk(12, 9), max_prompt_tokens=10) == {"prompt_too_long": 1}
    assert left_out(talk(9, 3), min_output_tokens=3) == {}
    assert left_out(talk(9, 12), max_total_tokens=20) == {"sum_too_long": 1}


def test_more_pairs_are_a_conversation_up_to_the_first_that_breaks_a_bound() -> None:
    # The prompt of the third pair is 10 + 20 + 10 + 20 + 10 = 70 tokens with what was said before.
    document = json.dumps([talk(10, 20, 10, 20, 10, 20)])
    all_pairs, facts = read(document, "sharegpt", max_pairs=9)
    assert [len(row.turns) for row in all_pairs if isinstance(row, Row)] == [3]
    assert (facts.conversations, facts.turns, facts.left_out) == (1, 3, {})
    cut = read(document, "sharegpt", max_pairs=9, max_prompt_tokens=69)[0]
    assert cut == [Row((Turn(words(0, 10), 20), Turn(words(2, 10), 20)))]


def test_a_system_text_counts_and_messages_before_the_first_human_do_not() -> None:
    assert read(json.dumps([talk(5, 9, 9, roles="shg")]), "sharegpt")[0] == [
        Row((Turn(words(1, 9), 9),), words(0, 5)),
    ]
    assert read(json.dumps([talk(5, 9, 9, roles="ghg")]), "sharegpt")[0] == [Row((Turn(words(1, 9), 9),))]


def test_a_wrong_item_has_its_line() -> None:
    bad = (
        '{"conversations": [{"from": "human"}]}',
        '{"id": 1}',
        '{"conversations": [{"from":"human","value":"\\u0000"}]}',
    )
    content = "[\n" + ",\n".join(bad) + "]"
    assert errors(content, "sharegpt") == [
        (2, "conversations[0]: object missing required field value"),
        (3, "object missing required field conversations"),
        (4, "conversations[0].value: must not contain NUL (U+0000): PostgreSQL cannot store it"),
    ]
