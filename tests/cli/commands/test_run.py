"""`llmbench run` against a server."""

import json
from pathlib import Path

import pytest

from cli.exits import ExitCode
from shared.benchmark.spec import BenchmarkSpec
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


def test_flags_become_the_request(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench(
        *("run", "-m", "m", "-p", "one", "-p", "two", "--provider", "p", "--system", "s", "--max-tokens", "5"),
        *("--temperature", "0", "--top-p", "0.5", "--stop", "a", "--stop", "b", "-n", "2", "-c", "3", "--warmup", "1"),
        *("--name", "n", "--metadata", "team=search", "--ttft-timeout", "2", "--param", "seed=42"),
        *("--no-warmup-prefix", "--service-tier", "flex", "--extra-body", "ignore_eos=true"),
        *("--extra-body", '{"min_tokens": 5, "chat_template_kwargs": {"thinking": false}, "nothing": null}'),
    )
    assert done.exit_code == ExitCode.OK, done.output
    assert api.sent("POST", "/benchmarks") == [
        {
            "model": "m",
            "provider": "p",
            "system": "s",
            "name": "n",
            "repetitions": 2,
            "concurrency": 3,
            "warmup": 1,
            "warmup_prefix": False,
            "prompts": ["one", "two"],
            "parameters": {
                "max_tokens": 5,
                "temperature": 0.0,
                "top_p": 0.5,
                "stop": ["a", "b"],
                "seed": 42,
                "service_tier": "flex",
            },
            "extra_body": {
                "ignore_eos": True,
                "min_tokens": 5,
                "chat_template_kwargs": {"thinking": False},
                "nothing": None,
            },
            "timeouts": {"ttft_s": 2.0},
            "metadata": {"team": "search"},
        }
    ]


def test_slos_are_bounds_or_a_preset(api: FakeApi, llmbench: Llmbench) -> None:
    for given in (("ttft_ms=500", "attainment=0.99"), ("interactive_chat",), ("interactive_chat", "tpot_ms=30")):
        options = [word for text in given for word in ("--slo", text)]
        assert llmbench("run", "-m", "m", "-p", "one", *options).exit_code == ExitCode.OK
    assert [body["slos"] for body in api.sent("POST", "/benchmarks")] == [
        {"ttft_ms": 500, "attainment": 0.99},
        {"preset": "interactive_chat"},
        {"preset": "interactive_chat", "tpot_ms": 30},
    ]
    twice = llmbench("run", "-m", "m", "-p", "one", "--slo", "interactive_chat", "--slo", "other")
    assert (twice.exit_code, "one preset at most" in twice.output) == (ExitCode.USAGE, True)


def test_a_dry_run_estimates_and_submits_nothing(api: FakeApi, llmbench: Llmbench) -> None:
    checked = {"provider": "p", "notices": [], "estimate": documents.estimate()}
    api.answers["POST /benchmarks/estimate"] = (200, checked)
    shown = llmbench("run", "-m", "m", "-p", "one", "--dry-run")
    assert (shown.exit_code, "Requests     300" in shown.output) == (ExitCode.OK, True)
    as_json = llmbench("run", "-m", "m", "-p", "one", "--dry-run", "--json")
    assert json.loads(as_json.output) == checked
    assert api.sent("POST", "/benchmarks") == []
    api.answers["POST /benchmarks/estimate"] = (422, documents.problem(422, "it is wrong"))
    refused = llmbench("run", "-m", "m", "-p", "one", "--dry-run")
    assert (refused.exit_code != ExitCode.OK, "it is wrong" in refused.output) == (True, True)


@pytest.mark.parametrize("arguments", [("-",), ("-p", "-"), ("--prompts", "-")])
def test_a_dash_reads_prompts_from_stdin(api: FakeApi, llmbench: Llmbench, arguments: tuple[str, ...]) -> None:
    assert llmbench("run", "-m", "m", *arguments, stdin="one\ntwo\n").exit_code == ExitCode.OK
    assert api.sent("POST", "/benchmarks")[0]["prompts"] == ["one", "two"]


def test_json_lines_on_stdin_are_recognised(api: FakeApi, llmbench: Llmbench) -> None:
    llmbench("run", "-m", "m", "-", stdin='"a\\nb"\n{"messages": []}\n')
    assert api.sent("POST", "/benchmarks")[0]["prompts"] == ["a\nb", {"messages": []}]


def test_stdin_is_read_in_one_place_only(llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "--spec", "-", "-", stdin="x")
    assert (done.exit_code, "stdin can be read only once" in done.stderr) == (ExitCode.USAGE, True)


def test_a_spec_file_is_sent_with_flags_over_it(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    spec = tmp_path / "s.yaml"
    spec.write_text("model: m\nprompts: [hi]\nrepetitions: 5\nparameters: {seed: 1}\n")
    assert llmbench("run", "--spec", str(spec), "-n", "2").exit_code == ExitCode.OK
    sent = api.sent("POST", "/benchmarks")[0]
    assert (sent["repetitions"], sent["parameters"]) == (2, {"seed": 1})


def test_it_waits_until_the_benchmark_has_ended(api: FakeApi, llmbench: Llmbench) -> None:
    api.reads = [(200, documents.benchmark(status=status)) for status in ("pending", "running", "completed")]
    done = llmbench("run", "-m", "m", "-p", "x")
    assert "TTFT (ms)" in done.stdout
    assert len(api.sent("GET", "/benchmarks/1")) == 3


def test_the_output_of_a_pipe_is_plain_text(llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", "--results")
    assert "\x1b" not in done.output
    assert done.stderr == ""
    assert "Hello there, friend!" in done.stdout


def test_json_is_all_that_stdout_gets_and_the_notice_goes_to_stderr(llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", "--json")
    assert json.loads(done.stdout)["id"] == 1
    assert done.stderr == f"! {documents.NOTICE}\n"


def test_detach_prints_the_id_and_does_not_wait(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", "--detach")
    assert (done.exit_code, done.stdout) == (ExitCode.OK, "1\n")
    assert [method for method, *_ in api.requests] == ["POST"]


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (documents.benchmark(), ExitCode.OK),
        (documents.benchmark(summary=documents.summary(succeeded=1, errored=1)), ExitCode.FAILED),
        (documents.benchmark(status="failed", summary=None), ExitCode.FAILED),
        (documents.benchmark(status="cancelled"), ExitCode.CANCELLED),
        (documents.benchmark(stopped="budget"), ExitCode.BUDGET),
        (documents.benchmark(stopped="budget", summary=documents.summary(errored=1)), ExitCode.FAILED),
    ],
)
def test_the_exit_code_says_how_the_run_ended(
    api: FakeApi, llmbench: Llmbench, ended: dict[str, object], code: ExitCode
) -> None:
    api.reads = [(200, ended)]
    assert llmbench("run", "-m", "m", "-p", "x").exit_code == code


def test_each_wrong_field_of_a_refused_request_is_printed(api: FakeApi, llmbench: Llmbench) -> None:
    errors = [
        {"field": "model", "message": "is unknown", "code": "unknown_model"},
        {"field": "prompts[0]", "message": "must not be empty", "code": "too_short"},
    ]
    api.submit = (422, documents.problem(422, "two errors", errors))
    done = llmbench("run", "-m", "m", "-p", "x")
    assert done.exit_code == ExitCode.USAGE
    assert done.stderr == ("error: The request is not valid\n  model: is unknown\n  prompts[0]: must not be empty\n")


def test_a_server_without_a_worker_is_named_before_anything_is_submitted(api: FakeApi, llmbench: Llmbench) -> None:
    ok = {"ok": True, "detail": "answers"}
    down = {"ok": False, "detail": "no worker has reported lately"}
    api.ready = (503, {"status": "not_ready", "database": ok, "queue": ok, "worker": down})
    done = llmbench("run", "-m", "m", "-p", "x")
    assert done.exit_code == ExitCode.UNREACHABLE
    assert "worker: no worker has reported lately" in done.stderr
    assert api.sent("POST", "/benchmarks") == []


def test_a_server_that_restarts_while_it_is_polled_is_waited_for(api: FakeApi, llmbench: Llmbench) -> None:
    api.reads = [(503, documents.problem(503, "database does not answer")), (200, documents.benchmark())]
    assert llmbench("run", "-m", "m", "-p", "x").exit_code == ExitCode.OK


def test_a_server_that_goes_away_and_comes_back_is_told_of(api: FakeApi, llmbench: Llmbench) -> None:
    api.reads = [(503, documents.problem(503, "database does not answer"))] * 3 + [(200, documents.benchmark())]
    done = llmbench("run", "-m", "m", "-p", "x")
    assert done.stderr.splitlines() == [
        "! database does not answer; trying again for 30 s",
        f"{api.url} answers again",
    ]


def test_a_duration_makes_a_load_of_the_short_form(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench(
        *("run", "-m", "m", "-p", "x", "--rate", "5", "--arrival", "gamma", "--burstiness", "0.5", "-c", "9"),
        *("--duration", "60", "--grace", "5", "--ramp", "1:20", "--drop-after", "2", "--stop-on-error-rate", "0.5"),
        *("--stop-when-saturated", "--seed", "7", "--max-prefill", "4", "--warmup", "3"),
    )
    assert done.exit_code == ExitCode.OK, done.output
    (sent,) = api.sent("POST", "/benchmarks")
    assert sent["load"] == {
        "request_rate": 5.0,
        "arrival": "gamma",
        "burstiness": 0.5,
        "max_concurrency": 9,
        "duration_s": 60.0,
        "grace_s": 5.0,
        "ramp": {"from": 1, "over_s": 20},
        "drop_after_s": 2.0,
        "stop_on_error_rate": 0.5,
        "stop_when_saturated": True,
        "seed": 7,
        "max_prefill": 4,
        "warmup": {"requests": 3},
    }
    assert sent.keys().isdisjoint({"concurrency", "request_rate", "arrival", "warmup"})
    assert sent["name"] == "m, 1 prompt, 5 requests/s, 60 s"
    assert BenchmarkSpec.model_validate(sent).load is not None


def test_the_load_of_a_spec_file_is_sent_as_it_is(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    spec = tmp_path / "s.yaml"
    spec.write_text(
        "model: m\nprompts: [hi]\nload: {stages: [{concurrency: 2, duration_s: 5}], transition: seamless}\n"
    )
    assert llmbench("run", "--spec", str(spec)).exit_code == ExitCode.OK
    (sent,) = api.sent("POST", "/benchmarks")
    assert sent["load"] == {"stages": [{"concurrency": 2, "duration_s": 5}], "transition": "seamless"}


def test_a_webhook_is_submitted_and_its_secret_is_printed_once(api: FakeApi, llmbench: Llmbench) -> None:
    webhook = {"url": "https://h.example/", "events": None, "disabled_reason": None, "secret": "whsec_abc"}
    api.submit = (202, documents.benchmark(status="pending", webhook=webhook))
    done = llmbench("run", "-m", "m", "-p", "x", "--webhook", "https://h.example/", "--json")
    assert api.sent("POST", "/benchmarks")[0]["webhook_url"] == "https://h.example/"
    assert done.stderr.splitlines()[0] == "webhook secret, shown only now: whsec_abc"
    assert "whsec_abc" not in done.stdout


def test_an_arrival_that_is_none_is_refused_with_the_known_ones(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", "--rate", "5", "--arrival", "poison")
    assert (done.exit_code, api.requests) == (ExitCode.USAGE, [])
    assert "poisson" in done.stderr
    llmbench("run", "-m", "m", "-p", "x", "--rate", "5", "--arrival", "poisson")
    assert api.sent("POST", "/benchmarks")[0]["arrival"] == "poisson"


def test_the_commonest_message_of_failures_is_shown(api: FakeApi, llmbench: Llmbench) -> None:
    error = {"kind": "rate_limited", "message": "slow down", "http_status": 429, "phase": "before_first_token"}
    api.results = [documents.result(outcome="errored", error=error)]
    api.reads = [(200, documents.benchmark(summary=documents.summary(succeeded=1, errored=1)))]
    assert "rate_limited 1: slow down" in llmbench("run", "-m", "m", "-p", "x").stdout
    assert "/benchmarks/1/results?outcome=errored&limit=200" in [target for _, target, _ in api.requests]


def test_a_number_that_json_lacks_is_refused_here(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", "--temperature", "nan")
    assert done.exit_code == ExitCode.USAGE
    assert api.sent("POST", "/benchmarks") == []


def test_a_file_of_a_spec_may_stand_alone(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text("model: m\nprompts: [one]\nrepetitions: 3\n")
    assert llmbench("run", str(file), "-n", "2").exit_code == ExitCode.OK
    (body,) = api.sent("POST", "/benchmarks")
    assert (body["model"], body["prompts"], body["repetitions"]) == ("m", ["one"], 2)
    assert "two specs" in llmbench("run", str(file), "--spec", str(file)).stderr
    assert "unexpected argument 'Say hello'" in llmbench("run", "Say hello").stderr
    assert "nowhere.yaml" in llmbench("run", "nowhere.yaml").stderr


def test_how_it_runs_beside_others_is_part_of_the_request(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    """As an option and in a spec file."""
    file = tmp_path / "alone.yaml"
    file.write_text("model: m\nprompts: [one]\nexclusive: true\n")
    for arguments in (
        ("-m", "m", "-p", "one", "--exclusive"),
        (str(file),),
        ("-m", "m", "-p", "x", "--share-endpoint"),
    ):
        assert llmbench("run", *arguments).exit_code == ExitCode.OK
    sent = [(body.get("exclusive"), body.get("share_endpoint")) for body in api.sent("POST", "/benchmarks")]
    assert sent == [(True, None), (True, None), (None, True)]
