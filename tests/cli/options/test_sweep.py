"""`llmbench run --sweep` and `--search`, and `llmbench curve`."""

from pathlib import Path
from typing import Any

import pytest

from api.schemas.curve import CurveOut
from api.schemas.summary import Summary
from cli.exits import ExitCode
from cli.render.conclusion import conclusion_lines
from cli.render.curve import curve_lines
from shared.benchmark.results.curve import curve_of
from shared.benchmark.search.search_spec import SearchSpec
from shared.benchmark.search.sweep_spec import SweepSpec
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi
from tests.shared.benchmark.results.test_curve import SATURATING, slo_of, stage_of
from tests.shared.benchmark.search.test_search_plan import BAD, GOOD, Script
from tests.shared.benchmark.search.test_search_plan import plan_of as search_of


@pytest.mark.parametrize(
    ("flags", "load"),
    [
        (("--sweep", "1,2,4"), {"sweep": {"concurrency": [1, 2, 4]}}),
        (("--sweep", "1-64"), {"sweep": {"concurrency": {"from": 1, "to": 64}}}),
        (("--sweep", "auto", "--point-requests", "50"), {"sweep": {"to_saturation": True, "requests": 50}}),
        (
            ("--sweep-rate", "0.5,2", "--point-duration", "20"),
            {"sweep": {"request_rate": [0.5, 2.0], "duration_s": 20.0}},
        ),
        (("--sweep-rate", "1-8"), {"sweep": {"request_rate": {"from": 1.0, "to": 8.0}}}),
        (("--search",), {"search": {}}),
        (("--search", "--point-requests", "200"), {"search": {"probe_requests": 200}}),
        (("--search", "--point-duration", "30"), {"search": {"probe_s": 30.0}}),
    ],
)
def test_flags_become_a_load(api: FakeApi, llmbench: Llmbench, flags: tuple[str, ...], load: dict[str, Any]) -> None:
    """What is sent is a sweep or a search that the API takes."""
    done = llmbench("run", "-m", "m", "-p", "x", *flags)
    assert done.exit_code == ExitCode.OK, done.output
    assert api.sent("POST", "/benchmarks")[0]["load"] == load
    model = SweepSpec if "sweep" in load else SearchSpec
    model.model_validate(load.get("sweep", load.get("search")))


def test_flags_stand_above_the_spec_file(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    """The rest of the file's load stays, and so does the rest of its search."""
    file = tmp_path / "spec.yaml"
    file.write_text("model: m\nprompts: [hi]\nload: {grace_s: 5, search: {start: 8, probe_s: 9}}\n")
    llmbench("run", "--spec", str(file), "--search", "--point-requests", "90")
    llmbench("run", "--spec", str(file), "--sweep", "1,2")
    llmbench("run", "--spec", str(file))
    assert [body["load"] for body in api.sent("POST", "/benchmarks")] == [
        {"grace_s": 5, "search": {"start": 8, "probe_requests": 90}},
        {"grace_s": 5, "sweep": {"concurrency": [1, 2]}},
        {"grace_s": 5, "search": {"start": 8, "probe_s": 9}},
    ]
    file.write_text("model: m\nprompts: [hi]\nload: {sweep: {request_rate: [1, 2], requests: 9, warmup_s: 2}}\n")
    llmbench("run", "--spec", str(file), "--sweep", "4,8")
    llmbench("run", "--spec", str(file), "--sweep", "auto", "--point-duration", "5")
    assert [body["load"]["sweep"] for body in api.sent("POST", "/benchmarks")[3:]] == [
        {"concurrency": [4, 8], "requests": 9, "warmup_s": 2},
        {"to_saturation": True, "duration_s": 5.0, "warmup_s": 2},
    ]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--sweep", "1,2", "--search"), "--sweep and --search exclude each other"),
        (("--sweep", "one"), "must be numbers as in 1,2,4,8"),
        (("--sweep", "0.5"), "must be numbers"),
        (("--sweep-rate", "auto"), "--sweep-rate auto"),
        (("--point-requests", "5"), "go with --sweep"),
    ],
)
def test_wrong_flags(llmbench: Llmbench, flags: tuple[str, ...], said: str) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", *flags)
    assert done.exit_code == ExitCode.USAGE
    assert said in done.stderr


def test_the_curve_is_a_table(api: FakeApi, llmbench: Llmbench) -> None:
    """With the API's own document, the SLOs of the flags in the question, and the knee marked."""
    document = CurveOut.model_validate(curve_of(SATURATING)).model_dump(mode="json")
    api.answers["GET /benchmarks/1/curve"] = (200, document)
    done = llmbench("curve", "1", "--slo", "ttft_ms:p95:500", "--slo", "latency_ms:p50:900")
    assert done.exit_code == ExitCode.OK, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        *("streams", "requests/s", "±", "tokens/s", "TTFT", "p50", "p95", "TPOT", "p50", "latency", "p50", "p95"),
        *("failed", "in", "SLO"),
    ]
    assert [line.split()[0] for line in lines[1:7]] == ["1", "2", "4", "8", "16", "32"]
    assert lines[4].split() == [
        "8",
        "80.0",
        "2.0%",
        "5,600.0",
        "40.0",
        "80.0",
        "–",
        "99.0",
        "–",
        "4",
        "–",
        "<-",
        "knee",
    ]
    assert lines[-1] == "Knee at 8 streams: 80.0 requests/s"
    assert api.requests[-1][1].endswith("/benchmarks/1/curve?slo=ttft_ms%3Ap95%3A500&slo=latency_ms%3Ap50%3A900")
    assert llmbench("curve", "1", "--json").stdout.startswith("{")


def test_the_curve_says_what_it_lacks() -> None:
    """Why there is no knee, which load is the highest within the SLOs, and which was broken off."""
    stages = [stage_of(number, 2**number, 10, summary=slo_of(count)) for number, count in enumerate((404, 388, 300))]
    broken = stage_of(3, 8, 3, ended_by="error_rate", summary=slo_of(0))
    texts = [line.text for line in curve_lines(curve_of([*stages, broken]))]
    assert texts[2].endswith("96.0%  highest in SLO")
    assert texts[4].endswith("broken off")
    assert texts[-2].startswith("No knee: a knee needs at least 5")
    assert (
        texts[-1]
        == "Highest load that meets the SLOs: 2 streams (not certain by its confidence interval: measure longer)"
    )
    assert curve_lines(curve_of([broken]))[-1].text == "No load meets the SLOs"
    assert [line.text for line in curve_lines(curve_of([]))] == ["no stage has ended yet"]


def shown_of(found: dict[str, Any]) -> list[str]:
    """The lines of a benchmark with this conclusion, as the API answers it."""
    whole = Summary.model_validate(documents.summary(search=found)).model_dump(mode="json")
    return [line.text for line in conclusion_lines(documents.benchmark(summary=whole))]


@pytest.mark.parametrize(
    ("shares", "sustained", "lines"),
    [
        (
            {4: [GOOD], 8: [BAD], 6: [GOOD], 7: [BAD]},
            [0.8, 0.96],
            [
                "Search       4 streams (converged): the SLOs are met at concurrency 6 and not at 7",
                "             sustained at 4 streams: 96.0% of the requests met the SLOs",
                "             a cliff: at the first load that fails, most requests miss the SLOs; keep a distance",
            ],
        ),
        (
            {4: [BAD], 2: [BAD], 1: [BAD]},
            [],
            [
                "Search       no load meets the SLOs (not met at any load): the SLOs are not met at concurrency 1",
            ],
        ),
    ],
)
def test_a_run_shows_the_answer_of_its_search(shares: Any, sustained: list[float], lines: list[str]) -> None:
    assert shown_of(Script(search_of(), shares, sustained).conclusion) == lines


def test_a_run_shows_where_the_curve_of_its_sweep_is() -> None:
    found = {"kind": "sweep", "control": "request_rate", "values": [0.5, 2], "repeats": 1, "saturated_load": None}
    assert shown_of(found) == [
        "Sweep        request rate 0.5, 2",
        "             llmbench curve 1 shows throughput against latency",
    ]
    assert list(conclusion_lines(documents.benchmark())) == []
    cancelled = shown_of({**found, "values": []})
    assert cancelled[0] == "Sweep        request rate – (none was measured to its end)"
    saturated = shown_of({**found, "saturated_load": 2})
    assert saturated[1] == "             more load brought nothing more at 2"
