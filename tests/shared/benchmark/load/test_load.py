"""What is sent, in which order, and when: pure, without sockets."""

from shared.benchmark.load.pace import ClosedLoop, ConstantRate
from shared.benchmark.load.stop import StopRule, Tally
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.warmup_prefix import UniqueWarmup
from shared.benchmark.workload.workload import WorkItem
from shared.workloads.loads import load_of


def spec(**changes: object) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate(
        {"name": "x", "model": "m", "prompts": ["a", "b"], "repetitions": 2, "warmup": 3, "concurrency": 2, **changes}
    )


def test_the_sequence_is_warm_up_first_then_round_after_round() -> None:
    workload = load_of(spec()).workload
    items = [workload.item(place) for place in range(7)]
    assert [(item.prompt_index, item.repetition, item.warmup) for item in items if item is not None] == [
        *((0, -1, True), (1, -1, True), (0, -2, True)),
        *((0, 0, False), (1, 0, False), (0, 1, False), (1, 1, False)),
    ]
    assert [item.messages[0]["content"] for item in items if item is not None] == ["a", "b", "a", "a", "b", "a", "b"]
    assert workload.item(7) is None
    assert workload.item(0, 1, ["an answer"]) is None


def test_a_place_is_found_again_by_what_results_are_named_by() -> None:
    workload = load_of(spec()).workload
    for place in range(7):
        item = workload.item(place)
        assert item is not None
        assert workload.id_of(item.prompt_index, item.repetition) == item.id == (place, 0)


def test_a_prompt_is_sent_with_its_own_system_text_and_parameters() -> None:
    own = {"messages": [{"role": "user", "content": "c"}], "system": "own", "parameters": {"max_tokens": 7}}
    workload = load_of(spec(prompts=["a", own], system="common", parameters={"max_tokens": 5}, warmup=0)).workload
    items = [workload.item(place) for place in range(2)]
    assert [(item.system, item.parameters.max_tokens) for item in items if item is not None] == [
        ("common", 5),
        ("own", 7),
    ]


def test_warm_up_is_a_closed_loop_of_its_own_before_any_schedule() -> None:
    warmup, measured = load_of(spec(request_rate=2)).at_once().phases
    assert (warmup.first, warmup.end, measured.first, measured.end) == (0, 3, 3, None)
    assert isinstance(warmup.pace, ClosedLoop)
    assert isinstance(measured.pace, ConstantRate)
    (only,) = load_of(spec(warmup=0)).at_once().phases
    assert only.first == 0


def test_a_stop_rule_ends_nothing_unless_it_says_so() -> None:
    assert not StopRule().stops(Tally(1e9, {"errored": 1_000}))
    assert Tally(1, {"errored": 2, "succeeded": 3}).ended == 5


def warmed_up(benchmark_id: int = 1, **changes: object) -> list[WorkItem]:
    """Three warm-up requests and four measured ones."""
    workload = UniqueWarmup(load_of(spec(**changes)).workload, benchmark_id)
    items = [workload.item(place) for place in range(7)]
    return [item for item in items if item is not None]


def test_each_warm_up_request_starts_with_a_text_of_its_own() -> None:
    items = warmed_up(system="s")
    texts = [(item.system, item.messages[0]["content"]) for item in items]
    assert texts[3:] == [("s", "a"), ("s", "b")] * 2
    starts = [start for system, content in texts[:3] for start in ((system or "")[:16], content[:16])]
    assert len(set(starts)) == 3
    assert [(system or "")[16:] for system, _ in texts[:3]] == ["\n\ns"] * 3
    assert [content[16:] for _, content in texts[:3]] == ["\n\na", "\n\nb", "\n\na"]


def test_the_prefix_of_a_warm_up_request_is_the_same_whoever_sends_it_and_another_in_each_benchmark() -> None:
    assert warmed_up() == warmed_up()
    others = [item.messages[0]["content"] for item in warmed_up(2)]
    assert not {item.messages[0]["content"] for item in warmed_up()[:3]} & set(others[:3])


def test_only_the_first_message_of_a_warm_up_request_has_a_prefix() -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    item = warmed_up(prompts=[{"messages": turns}], repetitions=4)[0]
    assert item.system is None
    assert list(item.messages[1:]) == turns[1:]
    assert item.messages[0]["content"].endswith("\n\nHi")


def test_a_workload_with_prefixes_is_otherwise_the_same() -> None:
    plain = load_of(spec()).workload
    prefixed = UniqueWarmup(plain, 1)
    assert prefixed.equal_prompts() == plain.equal_prompts()
    assert (prefixed.length, prefixed.warmup, prefixed.has_turns) == (plain.length, plain.warmup, plain.has_turns)
    assert prefixed.item(7) is None
    assert [prefixed.id_of(item.prompt_index, item.repetition).place for item in warmed_up()] == list(range(7))


def test_prompts_with_the_same_text_are_equal_whatever_their_parameters() -> None:
    """The system text is part of the prompt, and a prompt's own replaces the benchmark's."""
    said = {"messages": [{"role": "user", "content": "a"}]}
    prompts = ["a", "b", said, {**said, "parameters": {"max_tokens": 7}}, {**said, "system": "own"}]
    workload = load_of(spec(prompts=prompts, system="common")).workload
    assert workload.equal_prompts() == {2: 0, 3: 0}
    assert load_of(
        spec(prompts=[*prompts, {**said, "system": "common"}], system="common")
    ).workload.equal_prompts() == {
        2: 0,
        3: 0,
        5: 0,
    }
    assert load_of(spec()).workload.equal_prompts() == {}
