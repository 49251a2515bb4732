"""The commands that read and change what a server has."""

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from api.schemas.workers import Calibration
from cli.commands import demo
from cli.demo import EXAMPLE
from cli.exits import ExitCode
from cli.main import app
from cli.stop import Stop
from shared.version import __version__
from simulator.main import _parser
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


def test_list_passes_its_filters_on_and_prints_a_row_each(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark()], "next_cursor": None})
    done = llmbench("list", "--status", "completed", "--model", "m", "--name", "Haiku", "--limit", "5")
    assert "Haiku Speed Test" in done.stdout
    assert api.requests[0][1] == "/benchmarks?status=completed&model=m&name=Haiku&limit=5"


def test_list_filters_by_metadata(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark()], "next_cursor": None})
    llmbench("list", "--metadata", "team=search", "--metadata", "url=a=b:c", "--limit", "5")
    assert parse_qs(urlsplit(api.requests[0][1]).query) == {"metadata": ["team:search", "url:a=b:c"], "limit": ["5"]}
    assert "must be key=value" in llmbench("list", "--metadata", "team").stderr


def test_a_limit_beyond_a_page_reads_the_next_pages(api: FakeApi, llmbench: Llmbench) -> None:
    page = {"items": [documents.benchmark(number) for number in range(200)], "next_cursor": "next"}
    api.answers["GET /benchmarks"] = (200, page)
    assert len(json.loads(llmbench("list", "--limit", "300", "--json").stdout)) >= 300
    assert api.requests[1][1] == "/benchmarks?cursor=next&limit=100"


def test_a_list_that_is_cut_says_so_on_stderr(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark()], "next_cursor": "next"})
    for arguments in ((), ("--json",)):
        assert llmbench("list", "--limit", "1", *arguments).stderr == "the newest 1; --limit lists more\n"
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark()], "next_cursor": None})
    assert llmbench("list", "--limit", "1").stderr == ""


def test_models_as_json_says_on_stderr_how_many_there_are(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /models"] = (200, {"items": [documents.MODEL], "total": 25, "next_cursor": "x"})
    assert "1 of 25 models" in llmbench("models", "--limit", "1", "--json").stderr


def test_show_pages_through_all_results(api: FakeApi, llmbench: Llmbench) -> None:
    api.results = [documents.result(number) for number in range(1_500)]
    done = llmbench("show", "1", "--results")
    assert done.stdout.count("Hello there, friend!") == 1_500


def test_show_json_is_the_document_of_the_api(llmbench: Llmbench) -> None:
    assert json.loads(llmbench("show", "1", "--json").stdout) == documents.benchmark()


def test_show_of_an_unknown_benchmark_prints_the_problem(api: FakeApi, llmbench: Llmbench) -> None:
    api.reads = [(404, documents.problem(404, "there is no benchmark 9"))]
    done = llmbench("show", "9")
    assert (done.exit_code, done.stderr) == (ExitCode.USAGE, "error: there is no benchmark 9\n")


def test_cancel_says_whether_it_is_over(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["POST /benchmarks/1/cancel"] = (202, documents.benchmark(status="running"))
    assert llmbench("cancel", "1").stdout == "benchmark 1 is being cancelled\n"


def test_delete_without_a_terminal_needs_yes(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["DELETE /benchmarks/1"] = (204, None)
    assert llmbench("delete", "1").exit_code == ExitCode.USAGE
    assert api.requests == []
    assert llmbench("delete", "1", "--yes").stdout == "benchmark 1 is deleted\n"


def test_models_shows_prices_and_how_many_there_are(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /models"] = (200, {"items": [documents.MODEL], "total": 25, "next_cursor": "x"})
    done = llmbench("models", "haiku", "--limit", "1")
    assert done.stdout.splitlines()[1].split()[:6] == [
        "claude-3-haiku",
        "anthropic",
        "anthropic",
        "0.25",
        "1.25+",
        "200,000",
    ]
    assert done.stdout.splitlines()[1].endswith(
        "Claude Haiku 3  claude-3-haiku-20240307, claude-3-haiku-latest, haiku-3 +1"
    )
    assert "1 of 25 models" in done.stderr


def test_providers_names_the_variable_of_a_missing_key(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /providers"] = (200, {"items": [documents.PROVIDER]})
    assert "set ANTHROPIC_API_KEY" in llmbench("providers").stdout


def test_without_a_server_it_says_how_to_start_one() -> None:
    done = CliRunner().invoke(app, ["list", "--server", "http://127.0.0.1:1"])
    assert done.exit_code == ExitCode.UNREACHABLE
    assert "llmbench up" in done.stderr
    assert "Traceback" not in done.output


def test_a_server_of_another_kind_is_told_apart(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /providers"] = (200, "<html>hello</html>")
    done = llmbench("providers")
    assert done.exit_code == ExitCode.UNREACHABLE
    assert "does not answer as an LLM Benchmark service" in done.stderr


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"detail": "Not Found"}),
        (404, {"detail": "Not Found", "code": 404}),
        (422, {"detail": "wrong", "code": "x", "errors": ["name is wrong"]}),
        (422, {"detail": "wrong", "code": "x", "errors": {"name": "wrong"}}),
        (200, {}),
        (200, {"items": {}, "next_cursor": None}),
        (200, {"items": []}),
        (200, "[" * 100_000),
    ],
)
def test_a_server_of_another_kind_that_answers_in_json_is_told_apart(
    api: FakeApi, llmbench: Llmbench, answer: tuple[int, Any]
) -> None:
    api.answers["GET /benchmarks"] = answer
    done = llmbench("list")
    assert done.exit_code == ExitCode.UNREACHABLE, done.output
    assert "does not answer as an LLM Benchmark service" in done.stderr


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port"])
def test_a_server_that_is_no_url_is_a_usage_error(url: str) -> None:
    assert CliRunner().invoke(app, ["list", "--server", url]).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "url",
    [
        "http://me:s3cret@127.0.0.1:1",
        "me:s3cret@127.0.0.1:1/x",
        "http://me:s3cret@h:port",
        "ftp://me:s3cret@h",
        "me:s3cret@h:x",
    ],
)
def test_the_password_in_the_url_of_a_server_is_not_printed(url: str) -> None:
    done = CliRunner().invoke(app, ["list", "--server", url])
    assert done.exit_code in (ExitCode.USAGE, ExitCode.UNREACHABLE)
    assert "s3cret" not in done.output


def test_the_password_in_the_url_of_a_server_is_sent(api: FakeApi) -> None:
    api.answers["GET /providers"] = (200, {"items": [documents.PROVIDER]})
    url = api.url.replace("://", "://me:s3cret@")
    assert CliRunner().invoke(app, ["providers", "--server", url]).exit_code == ExitCode.OK
    assert api.authorizations == ["Basic bWU6czNjcmV0"]


def test_a_server_may_be_named_without_its_scheme(api: FakeApi) -> None:
    api.answers["GET /providers"] = (200, {"items": []})
    done = CliRunner().invoke(app, ["providers", "--server", api.url.removeprefix("http://")])
    assert done.exit_code == ExitCode.OK


def test_demo_submits_the_readmes_example_and_compares_with_the_simulator(
    api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.reads = [(200, documents.benchmark(results=api.results))]
    stack = SimpleNamespace(url=api.url, check=lambda: None)
    with Stop() as stop:
        assert demo._measure(stack, stop) == ExitCode.OK  # type: ignore[arg-type]
    assert api.sent("POST", "/benchmarks") == [EXAMPLE]
    output = capsys.readouterr().out
    comparison = output[output.index("simulator's setting") :].splitlines()
    assert comparison[1].split() == ["TTFT", "(ms)", "200.0", "201.0"]
    assert '"results"' not in output


def test_demo_as_json_prints_only_the_answer(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    stack = SimpleNamespace(url=api.url, check=lambda: None)
    with Stop() as stop:
        demo._measure(stack, stop, as_json=True)  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().out) == documents.benchmark()


def test_simulate_has_the_options_and_defaults_of_the_simulator() -> None:
    from typer.main import get_command

    command = get_command(app).commands["simulate"]  # type: ignore[attr-defined]
    ours = {parameter.opts[0]: parameter.default for parameter in command.params if parameter.opts[0] != "--help"}
    theirs = {action.option_strings[-1]: action.default for action in _parser()._actions if action.dest != "help"}
    assert ours == theirs


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_the_version_is_that_of_the_package(argument: str) -> None:
    assert CliRunner().invoke(app, [argument]).stdout == f"llmbench {__version__}\n"


def test_help_lists_the_exit_codes() -> None:
    for arguments in (["--help"], ["run", "--help"]):
        text = CliRunner().invoke(app, arguments).stdout
        assert all(f"  {code.value} " in text for code in ExitCode)


def test_workers_says_how_to_start_one_where_there_is_none(api: FakeApi) -> None:
    api.answers["GET /workers"] = (200, {"items": []})
    done = CliRunner().invoke(app, ["workers", "--server", api.url])
    assert (done.exit_code, done.stdout) == (ExitCode.OK, "")
    assert "arq worker.main.WorkerSettings" in done.stderr


@pytest.mark.parametrize("loads", ["", "0,1", "1;2", "many", "10001"])
def test_calibrate_refuses_loads_that_are_none(loads: str) -> None:
    done = CliRunner().invoke(app, ["calibrate", "--concurrency", loads])
    assert done.exit_code == ExitCode.USAGE
    assert "--concurrency: must be whole numbers from 1 to 10,000" in done.stderr


def test_calibrate_measures_this_host_as_json() -> None:
    done = CliRunner().invoke(app, ["calibrate", "--concurrency", "2", "--repeats", "1", "--json"])
    assert done.exit_code == ExitCode.OK, done.stderr
    found = json.loads(done.stdout)
    assert [level["concurrency"] for level in found["levels"]] == [2]
    assert set(found) == set(Calibration.model_fields)


def test_rerun_submits_the_benchmark_again_and_shows_its_numbers(api: FakeApi, llmbench: Llmbench) -> None:
    again = documents.benchmark(id=8, status="pending", summary=None, rerun_of=1)
    api.answers["POST /benchmarks/1/rerun"] = (202, again)
    done = llmbench("rerun", "1", "--detach")
    assert (done.exit_code, done.stdout) == (ExitCode.OK, "8\n")
    assert [request[:2] for request in api.requests if request[0] == "POST"] == [("POST", "/benchmarks/1/rerun")]
