"""The workloads that specs ask for: the same items for everyone, and ids that lead back to them."""

import subprocess
import sys
import time
from collections import Counter
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.load.places import MAX_STAGES, PLACES_A_PART, place_at
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.workloads.builtin import builtin_prompts
from shared.workloads.corpus import corpus_of
from shared.workloads.of_spec import workload_of
from shared.workloads.rows import AnyRow, DatasetRows, Row, RowList, TraceRow, Turn
from shared.workloads.tokenizer import tokenizer_of

GENERATED: dict[str, Any] = {
    "source": "generated",
    "input_tokens": {"distribution": "lognormal", "mean": 300, "stdev": 200, "max": 3000},
    "output_tokens": {"distribution": "uniform", "min": 10, "max": 90},
}
PREFIXES = {"shared_prefix": {"tokens": 100, "prefixes": 3, "share": 0.5}}
LISTS: list[dict[str, Any]] = [
    {},
    {"order": "shuffled"},
    {"order": "weighted", "weights": [1, 2, 3]},
    {"output_tokens": 9, "ignore_eos": True},
    {"cache": "bust"},
]
ROWS = RowList([Row((Turn("one"), Turn("two", max_tokens=5))), Row((Turn("three"),), system="own")])
TRACE = RowList([TraceRow(0, 600, 20, (7, 8)), TraceRow(10**9, 700, 30, (7, 9)), TraceRow(2 * 10**9, 50, 40)])
OTHERS: list[dict[str, Any]] = [
    GENERATED,
    {**GENERATED, "cache": "bust"},
    {**GENERATED, "cache": PREFIXES},
    {"source": "builtin"},
    {"source": "builtin", "order": "shuffled", "kinds": ["code", "chat"]},
    {"source": "dataset", "dataset": {"id": 1}, "order": "shuffled", "output_tokens": 9, "cache": "bust"},
]
ALL = LISTS + OTHERS
places = st.builds(place_at, st.integers(0, MAX_STAGES - 1), st.integers(0, PLACES_A_PART - 1), warmup=st.booleans())


def spec_of(workload: dict[str, Any] | None, seed: int = 7, **changes: Any) -> BenchmarkSpec:
    document: dict[str, Any] = {"name": "n", "model": "gpt-4o", **changes}
    if workload is not None:
        document["workload"] = {"seed": seed, **workload}
    if workload is None or "source" not in workload:
        document["prompts"] = ["a", {"messages": [{"role": "user", "content": "b"}], "system": "own"}, "c"]
    return BenchmarkSpec.model_validate(document)


def made(workload: dict[str, Any] | None, seed: int = 7, **changes: Any) -> Workload:
    rows = {"dataset": ROWS, "trace": TRACE}.get((workload or {}).get("source", ""))
    return workload_of(spec_of(workload, seed, **changes), cast(DatasetRows[AnyRow] | None, rows))


def item(workload: Workload, place: int) -> WorkItem:
    found = workload.item(place)
    assert found is not None
    return found


def content(workload: Workload, place: int) -> str:
    return item(workload, place).messages[0]["content"]


@pytest.mark.parametrize("fields", ALL, ids=str)
def test_items_are_the_same_in_any_order_and_for_any_worker(fields: dict[str, Any]) -> None:
    sent = [
        place_at(stage, ordinal, warmup=warmup) for stage in (0, 5) for warmup in (True, False) for ordinal in range(9)
    ]
    one, other = made(fields), made(fields)
    assert [item(one, place) for place in sent] == [item(other, place) for place in reversed(sent)][::-1]


def test_items_are_the_same_in_another_process() -> None:
    code = (
        "from tests.shared.workloads.test_of_spec import *;"
        "print([item(made({**GENERATED, 'cache': 'bust'}), place_at(3, n)) for n in range(3)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    workload = made({**GENERATED, "cache": "bust"})
    assert done.stdout.strip() == str([item(workload, place_at(3, n)) for n in range(3)])


@pytest.mark.parametrize("fields", [GENERATED, {"order": "shuffled"}, {"cache": "bust"}], ids=str)
def test_another_seed_gives_other_requests(fields: dict[str, Any]) -> None:
    sent = [place_at(0, ordinal) for ordinal in range(30)]
    one, other = made(fields, seed=1), made(fields, seed=2)
    assert [item(one, place) for place in sent] != [item(other, place) for place in sent]


@given(place=places)
@pytest.mark.parametrize("fields", ALL, ids=str)
def test_a_stored_result_names_its_request(fields: dict[str, Any], place: int) -> None:
    workload = made(fields)
    found = item(workload, place)
    assert found.id == RequestId(place)
    assert workload.id_of(found.prompt_index, found.repetition) == RequestId(place)
    assert 0 <= found.prompt_index < 2**31
    assert -(2**31) <= found.repetition < 2**31
    assert found.warmup == (place // PLACES_A_PART % 2 == 0)


@pytest.mark.parametrize("fields", ALL, ids=str)
def test_a_late_place_of_a_late_stage_is_found_at_once(fields: dict[str, Any]) -> None:
    workload = made(fields)
    item(workload, place_at(0, 0))
    began = time.thread_time()
    for ordinal in range(999_900, 1_000_000):
        item(workload, place_at(900, ordinal))
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("fields", ALL, ids=str)
def test_the_sequence_has_no_end_and_a_place_only_its_turns(fields: dict[str, Any]) -> None:
    workload = made(fields)
    assert workload.length is None
    assert workload.has_turns == (fields.get("source") == "dataset")
    assert workload.item(place_at(0, 0), turn=2) is None


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "openai/gpt-oss-20b", "qwen3-8b", "claude-sonnet-4"])
@pytest.mark.parametrize("cache", ["none", "bust"])
@pytest.mark.parametrize("tokens", [20, 33, 100, 2_000])
def test_generated_texts_have_their_length(model: str, cache: str, tokens: int) -> None:
    """The marker is part of it."""
    workload = made({"source": "generated", "input_tokens": tokens, "cache": cache}, model=model)
    tokenizer = tokenizer_of(model, None)
    for ordinal in range(40):
        count = tokenizer.count(content(workload, place_at(0, ordinal)))
        assert abs(count - tokens) <= max(2, 0.02 * tokens)


def test_lengths_are_drawn_for_each_request() -> None:
    workload = made(GENERATED)
    tokenizer = tokenizer_of("gpt-4o", None)
    items = [item(workload, place_at(0, ordinal)) for ordinal in range(500)]
    counts = [tokenizer.count(found.messages[0]["content"]) for found in items]
    assert sum(counts) / 500 == pytest.approx(300, rel=0.1)
    limits = [found.parameters.max_tokens or 0 for found in items]
    assert (min(limits), max(limits)) == (10, 90)


def test_a_factor_makes_texts_as_long_as_the_provider_counts() -> None:
    workload = workload_of(spec_of({"source": "generated", "input_tokens": 600, "token_factor": 1.2}))
    assert tokenizer_of("gpt-4o", None).count(content(workload, place_at(0, 0))) == pytest.approx(500, abs=2)
    assert workload.estimated_tokens(place_at(0, 0)) == 500


def test_nothing_is_estimated_of_texts_whose_length_is_not_given() -> None:
    assert workload_of(spec_of({"order": "shuffled", "seed": 1})).estimated_tokens(place_at(0, 0)) is None


def test_stages_and_warm_up_send_texts_of_their_own() -> None:
    workload = made(GENERATED)
    sent = [
        place_at(stage, ordinal, warmup=warmup) for stage in (0, 1) for warmup in (True, False) for ordinal in range(50)
    ]
    assert len({content(workload, place) for place in sent}) == 200


def test_a_generated_text_asks_for_a_long_answer_if_it_has_room() -> None:
    assert content(made({"source": "generated", "input_tokens": 100}), 0).endswith("Continue this text at length.")
    assert "Continue" not in content(made({"source": "generated", "input_tokens": 10}), 0)


def test_max_tokens_of_the_workload_replaces_that_of_the_parameters() -> None:
    workload = made({"output_tokens": 30}, parameters={"max_tokens": 500, "temperature": 0.5})
    parameters = item(workload, place_at(0, 0)).parameters
    assert (parameters.max_tokens, parameters.temperature) == (30, 0.5)
    assert item(made({}, parameters={"max_tokens": 500}), place_at(0, 0)).parameters.max_tokens == 500


def test_answers_of_fixed_length_are_asked_for_in_the_body() -> None:
    workload = made({**GENERATED, "ignore_eos": True})
    for ordinal in range(20):
        found = item(workload, place_at(0, ordinal))
        assert found.extra_body == {"ignore_eos": True, "min_tokens": found.parameters.max_tokens}
    assert item(made(GENERATED), place_at(0, 0)).extra_body == {}


def test_prompts_keep_their_own_system_text_and_parameters() -> None:
    workload = made({}, system="all")
    assert [item(workload, place_at(0, n)).system for n in range(3)] == ["all", "own", "all"]


def test_a_spec_without_a_workload_sends_its_prompts_in_turn() -> None:
    workload = made(None)
    assert [content(workload, place_at(2, n)) for n in range(4)] == ["a", "b", "c", "a"]


def test_equal_prompts_are_known_unless_a_marker_makes_them_different() -> None:
    spec = spec_of({}).model_copy(update={"prompts": spec_of({}).prompts * 2})
    assert workload_of(spec).equal_prompts() == {3: 0, 4: 1, 5: 2}
    busted = spec.model_copy(update={"workload": spec_of({"cache": "bust"}).workload})
    assert workload_of(busted).equal_prompts() == {}


def test_builtin_prompts_of_some_kinds_only() -> None:
    workload = made({"source": "builtin", "kinds": ["reasoning"]})
    few = builtin_prompts(["reasoning"])
    assert 20 < len(few) < len(builtin_prompts())
    assert [content(workload, place_at(0, n)) for n in range(len(few) + 1)] == [p.text for p in (*few, few[0])]


def test_every_marker_is_another_one_and_stands_first() -> None:
    workload, plain = made({"cache": "bust"}), made({})
    sent = [
        place_at(stage, ordinal, warmup=warmup) for stage in (0, 9) for warmup in (True, False) for ordinal in range(60)
    ]
    starts = set()
    for place in sent:
        busted, before = item(workload, place), item(plain, place)
        if before.system is None:
            assert busted.messages[0]["content"].endswith(before.messages[0]["content"])
            starts.add(busted.messages[0]["content"][:16])
        else:
            # The system text stands before the messages.
            assert busted.messages == before.messages
            assert busted.system is not None
            assert busted.system.endswith(before.system)
            starts.add(busted.system[:16])
    assert len(starts) == len(sent)


def test_only_the_first_message_of_a_conversation_is_marked() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    spec = BenchmarkSpec.model_validate(
        {"name": "n", "model": "m", "prompts": [{"messages": turns}], "workload": {"cache": "bust", "seed": 1}}
    )
    messages = item(workload_of(spec), place_at(0, 0)).messages
    assert messages[0]["content"].endswith("\n\na")
    assert [message["content"] for message in messages[1:]] == ["b", "c"]


def test_prefixes_are_shared_as_the_spec_says() -> None:
    workload, plain = made({**GENERATED, "cache": PREFIXES}), made(GENERATED)
    fronts: Counter[str] = Counter()
    for ordinal in range(2_000):
        place = place_at(0, ordinal)
        after = content(plain, place)
        assert content(workload, place).endswith(after)
        fronts[content(workload, place).removesuffix(after)] += 1
    without = fronts.pop("")
    assert without / 2_000 == pytest.approx(0.5, abs=0.05)
    assert len(fronts) == 3
    assert min(fronts.values()) > 250
    tokenizer = tokenizer_of("gpt-4o", None)
    assert all(abs(tokenizer.count(front) - 100) <= 2 for front in fronts)


def test_warm_up_shares_the_prefixes_of_the_measured_requests() -> None:
    workload = made({**GENERATED, "cache": {"shared_prefix": {"tokens": 50}}})
    assert content(workload, place_at(0, 0, warmup=True))[:150] == content(workload, place_at(4, 3))[:150]


def test_a_corpus_is_made_once_for_a_tokenizer() -> None:
    assert corpus_of(tokenizer_of("gpt-4o", None)) is corpus_of(tokenizer_of("o3", "o200k"))


def test_all_turns_of_a_conversation_have_markers_and_limits() -> None:
    fields = {
        "source": "dataset",
        "dataset": {"id": 1},
        "output_tokens": {"distribution": "uniform", "min": 1, "max": 10**6},
    }
    workload = made({**fields, "cache": "bust"})
    turns = [workload.item(place_at(0, 0), turn, ["answer"][:turn]) for turn in (0, 1)]
    first, second = (turn for turn in turns if turn is not None)
    assert first.messages[0]["content"].endswith("\n\none")
    assert [message["content"] for message in second.messages[1:]] == ["answer", "two"]
    assert first.messages[0] != second.messages[0]
    assert first.parameters.max_tokens != second.parameters.max_tokens
    assert workload.id_of(second.prompt_index, second.repetition) == RequestId(place_at(0, 0), 1)


def test_a_trace_has_its_lengths_and_its_shared_blocks() -> None:
    workload = made({"source": "trace", "trace": {"id": 1}, "ignore_eos": True})
    tokenizer = tokenizer_of("gpt-4o", None)
    texts = [content(workload, place_at(0, number)) for number in range(3)]
    assert [tokenizer.count(text) for text in texts] == pytest.approx([600, 700, 50], abs=2)
    assert texts[0][:2000] == texts[1][:2000]
    assert texts[0][-300:] != texts[1][-300:]
    assert item(workload, place_at(0, 2)).extra_body == {"ignore_eos": True, "min_tokens": 40}
    assert workload.item(place_at(0, 3)) is None


def test_rows_that_are_needed_must_be_given() -> None:
    with pytest.raises(ValueError, match="source dataset needs the rows of the dataset"):
        workload_of(spec_of({"source": "dataset", "dataset": {"id": 1}}))
