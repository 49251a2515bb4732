"""Benchmarks as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.estimate import EstimateOut
from api.schemas.live import LiveMetrics
from api.schemas.measurement import Measurement
from api.schemas.number import Number
from api.schemas.prices import PriceOut
from api.schemas.results import ResultOut
from api.schemas.stages import StageOut
from api.schemas.summary import Summary
from api.schemas.target import EndpointOut, TargetOut
from api.schemas.waits import WaitOut
from api.schemas.webhooks import BenchmarkWebhook
from shared.benchmark.load.load_spec import LoadSpec
from shared.benchmark.prompt import Message, Parameters
from shared.benchmark.slo.slo_spec import SloSpec
from shared.benchmark.status import SegmentEnding, Status, Stopped
from shared.benchmark.timeouts import Timeouts
from shared.benchmark.workload.workload_spec import WorkloadSpec


class Progress(BaseModel):
    """How far a benchmark has come."""

    done: int = Field(description="Requests that have a result, warm-up included.", examples=[42])
    total: int | None = Field(
        description="Requests that will be sent, warm-up included. Null when it is not known beforehand, because a "
        "duration or a result ends the run.",
        examples=[121],
    )
    errors: int = Field(
        description="Results that did not succeed, without `incomplete` and `dropped` ones.", examples=[1]
    )
    last_ttft_ms: Number | None = Field(
        description="`ttft_ms` of the newest result. Unit: ms. Null when there is none yet.", examples=[142.5]
    )
    cost_usd: float | None = Field(
        description="Cost so far, without requests of unknown cost. Unit: USD. Null while no cost is known, never 0 "
        "for unknown.",
        examples=[0.0021],
    )
    metrics: LiveMetrics | None = Field(
        default=None,
        description="Percentiles so far, over the requests of the worker that runs the benchmark now. Null when the "
        "benchmark is not running, and in its first second.",
    )


class RunError(BaseModel):
    """Why a benchmark failed as a whole."""

    kind: str = Field(description="Kind of error, for programs; it never changes.", examples=["all_requests_failed"])
    message: str = Field(
        description="The error in words.", examples=["none of 5 requests succeeded; most often: authentication"]
    )


class SegmentOut(BaseModel):
    """The part of a run that one worker did. A run that was not interrupted has one."""

    worker_id: str = Field(description="Id of the worker, as in `GET /workers`.", examples=["host-1-4f0c2a9d8e7b"])
    started_at: datetime = Field(description="UTC instant of its start.", examples=["2025-01-15T10:30:00Z"])
    ended_at: datetime | None = Field(
        description="UTC instant of its end; after a crash, when another worker noticed it. Null while it runs.",
        examples=["2025-01-15T10:30:02Z"],
    )
    ended_by: SegmentEnding | None = Field(
        description="`released`: its worker was asked to stop and gave the rest back. `crashed`: its worker did not "
        "report for a whole lease. Otherwise the benchmark's terminal status. Null while it runs.",
        examples=["completed"],
    )
    results: int | None = Field(description="Results that it stored. Null while it runs.", examples=[121])
    possible_duplicates: int | None = Field(
        description="Requests that it may have sent without storing their answers. Null while it runs.",
        examples=[0],
    )
    measurement: Measurement | None = Field(
        description="How far the measuring may have distorted this part. Null when it runs, crashed, or sent nothing."
    )


class BenchmarkBase(BaseModel):
    """A benchmark without its results."""

    id: int = Field(description="Id of the benchmark.", examples=[1])
    name: str = Field(description="As submitted.", examples=["Haiku Speed Test"])
    model: str = Field(description="As submitted.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Endpoint that the requests go to.", examples=["anthropic"])
    endpoint: EndpointOut | None = Field(
        default=None,
        description="Who that endpoint was at the submit. Null: a version that did not store it took the submit.",
    )
    status: Status = Field(
        description="`pending` → `running` → `completed`, `failed` or `cancelled`. The last three never change. "
        "`completed`: every request has a result; some may be errors. `failed`: the benchmark could not run, or no "
        "request succeeded.",
        examples=["completed"],
    )
    created_at: datetime = Field(description="UTC instant of the submit.", examples=["2025-01-15T10:30:00Z"])
    started_at: datetime | None = Field(
        description="UTC instant of the first claim by a worker. Null while pending.", examples=["2025-01-15T10:30:00Z"]
    )
    completed_at: datetime | None = Field(
        description="UTC instant of the terminal status. Null before.", examples=["2025-01-15T10:30:02Z"]
    )
    stopped: Stopped | None = Field(
        default=None,
        description="Why it completed before all its requests were sent. `budget`: its own budget, or one of its key "
        "or owner, could not pay for more. Null: it was not stopped.",
        examples=[None],
    )
    cancel_requested_at: datetime | None = Field(
        description="UTC instant of the first cancel. Null when there was none.", examples=[None]
    )
    progress: Progress = Field(description="How far it has come.")
    error: RunError | None = Field(description="Why it failed. Null when it did not.", examples=[None])
    notices: list[str] = Field(
        description="Warnings about these numbers, for example that a simulator answered.", examples=[[]]
    )
    summary: Summary | None = Field(description="The run in numbers. Null before it has ended.")
    price: PriceOut | None = Field(
        description="Price when the run started, which all its costs use. Null when the model has no known price or "
        "the run has not started."
    )
    interrupted: bool = Field(
        description="Whether another worker continued it after the first one stopped or died.", examples=[False]
    )
    rerun_of: int | None = Field(
        description="Id of the benchmark that this one repeats. Null when it repeats none.", examples=[None]
    )
    prompt_set: str | None = Field(
        default=None,
        description="Hash of all that decides the texts of its requests. Null: an older version took the submit.",
        examples=["5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"],
    )
    imported: bool = Field(
        default=False,
        description="Whether it came by `POST /import`: this server did not measure it.",
        examples=[False],
    )
    concurrency: int = Field(
        description="As submitted. If left out: prompts x repetitions, at most 8; with `request_rate`, the requests "
        "of 10 s.",
        examples=[4],
    )
    request_rate: float | None = Field(description="As submitted. Null: closed loop.", examples=[None])
    arrival: Literal["constant", "poisson"] = Field(description="As submitted.", examples=["constant"])
    arrival_seed: int = Field(description="As submitted.", examples=[0])
    max_duration_s: float | None = Field(description="As submitted. Unit: s. Null: no bound.", examples=[None])
    exclusive: bool = Field(default=False, description="As submitted.", examples=[False])
    share_endpoint: bool = Field(default=False, description="As submitted.", examples=[False])
    budget_usd: float | None = Field(
        default=None,
        description="As submitted: the most that it may spend. Unit: USD. Null: no budget of its own.",
        examples=[2.5],
    )
    allow_unpriced: bool = Field(default=False, description="As submitted.", examples=[False])
    on_interrupt: Literal["resume", "fail"] = Field(description="As submitted.", examples=["resume"])
    observe: bool = Field(default=True, description="As submitted.", examples=[True])
    repetitions: int = Field(description="As submitted.", examples=[3])
    warmup: int = Field(description="As submitted.", examples=[1])
    warmup_prefix: bool = Field(default=True, description="As submitted.", examples=[True])
    system: str | None = Field(description="As submitted. Null when there is none.", examples=[None])
    parameters: Parameters = Field(description="As submitted.")
    extra_body: dict[str, Any] = Field(
        default={}, description="As submitted.", examples=[{"ignore_eos": True, "min_tokens": 256}]
    )
    load: LoadSpec | None = Field(
        default=None,
        description="As submitted, with the defaults that matter to the numbers. Null: the short form, `concurrency` "
        "to `warmup`.",
    )
    workload: WorkloadSpec | None = Field(
        default=None, description="As submitted, with the seed of its random draws. Null: `prompts` in turn."
    )
    slos: SloSpec | None = Field(default=None, description="As submitted, with the bounds of the preset. Null: none.")
    timeouts: Timeouts = Field(description="As submitted, or the defaults.")
    metadata: dict[str, Any] = Field(description="As submitted.", examples=[{"team": "search"}])
    results_url: str = Field(description="Path of its results, in pages.", examples=["/benchmarks/1/results"])


class ListedBenchmarkOut(BenchmarkBase):
    """A benchmark in a list."""

    cut: list[str] = Field(
        default=[],
        description="Fields whose texts are too long for a list: `system`, which is cut after 1,000 characters, and "
        "`parameters.stop`, which is left out. `GET /benchmarks/{id}` has all of them.",
        examples=[[]],
    )


class BenchmarkOut(BenchmarkBase):
    """A benchmark with its results."""

    waits_for: WaitOut | None = Field(
        default=None,
        description="What it waits for now. Null when it does not wait, and when no worker could run it, which "
        "`notices` says.",
    )
    segments: list[SegmentOut] = Field(
        default=[], description="Which worker ran which part, in order of time. Empty before it runs."
    )

    stages: list[StageOut] = Field(
        default=[],
        description="The stages of its `load` that have begun, in order. Empty without a `load`: the run is one stage.",
    )
    target: TargetOut | None = Field(
        default=None,
        description="What its requests were sent to and with, as its first worker did it. Null before it runs, and for "
        "benchmarks of versions that did not store it.",
    )
    estimate: EstimateOut | None = Field(
        default=None,
        description="What it will send, take and cost. Only answers to the POST that created it have an estimate; "
        "otherwise null.",
    )
    webhook: BenchmarkWebhook | None = Field(
        default=None, description="Its own `webhook_url`, besides the registered endpoints. Null: it has none."
    )
    results: list[ResultOut] | None = Field(
        default=None,
        description="The first 1,000 results in the order of the prompts, up to 8 MB of them, without warm-up unless "
        "`include` names it. Null when `include` leaves results out.",
    )
    results_truncated: bool = Field(
        default=False, description="Whether there are more results than these; `results_url` has all.", examples=[False]
    )


class BenchmarkPage(BaseModel):
    """A page of benchmarks, newest first."""

    items: list[ListedBenchmarkOut] = Field(description="The benchmarks of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one. With the filter `name`, a page before "
        "the last one may have few items or none: each looks at 20,000 benchmarks at most.",
        examples=["WzQyXQ"],
    )


class PromptOut(BaseModel):
    """A prompt of a benchmark."""

    prompt_index: int = Field(description="Place of the prompt in `prompts`, from 0.", examples=[0])
    system: str | None = Field(
        default=None, description="Its own system text. Null when it has the benchmark's.", examples=[None]
    )
    messages: list[Message] = Field(description="The conversation, oldest first. The last turn is the user's.")
    parameters: Parameters = Field(description="Its own parameters; the benchmark's hold for the others.")


class PromptPage(BaseModel):
    """A page of prompts, in order."""

    items: list[PromptOut] = Field(
        description="The prompts of this page. None when retention deleted the texts, or when the dataset that they "
        "come from was deleted."
    )
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one. A page ends before it exceeds 8 MB.",
        examples=["WzQyXQ"],
    )
