"""`llmbench run`: submits one benchmark from flags, files or stdin, and follows it to its end."""

from typing import Annotated, Any

import typer

from cli import complete
from cli.exits import usage
from cli.options import gate as gate_options
from cli.options import load as load_options
from cli.options import request as request_options
from cli.options import workload as options
from cli.options.common import SERVER_ENV, AsJson, Explain, WithResults
from cli.options.sweep import PointDuration, PointRequests, Search, Sweep, SweepRate, swept_load

# Endings of files that describe a whole benchmark.
SPEC_FILES = (".yaml", ".yml", ".json")


def run(
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="ID", autocompletion=complete.models, help="Model id.")
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", metavar="TEXT", help="A prompt; repeatable; `-` reads stdin."),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File with a prompt on each line; .jsonl: a JSON string or prompt object on each line; .json: an "
            "array of them; `-`: stdin.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|-", help="A .yaml or .json file: the same as --spec; `-` reads prompts from stdin."
        ),
    ] = None,
    spec: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File with a whole benchmark as YAML or JSON; flags override it; `-`: stdin.",
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete.providers,
            help="Endpoint, as in `llmbench providers`. By default inferred from the model.",
        ),
    ] = None,
    system: request_options.System = None,
    name: request_options.Name = None,
    metadata: request_options.Metadata = None,
    max_tokens: request_options.MaxTokens = None,
    temperature: request_options.Temperature = None,
    top_p: request_options.TopP = None,
    stop: request_options.StopText = None,
    param: request_options.Param = None,
    service_tier: request_options.ServiceTier = None,
    extra_body: request_options.ExtraBody = None,
    repetitions: load_options.Repetitions = None,
    concurrency: load_options.Concurrency = None,
    rate: load_options.Rate = None,
    arrival: load_options.ArrivalOption = None,
    burstiness: load_options.Burstiness = None,
    burst: load_options.Burst = None,
    ramp: load_options.Ramp = None,
    first_wave: load_options.FirstWave = None,
    think_time: load_options.ThinkTime = None,
    max_prefill: load_options.MaxPrefill = None,
    drop_after: load_options.DropAfter = None,
    probe_rate: load_options.ProbeRate = None,
    requests: load_options.Requests = None,
    duration: load_options.Duration = None,
    grace: load_options.Grace = None,
    stop_on_error_rate: load_options.StopOnErrorRate = None,
    stop_when_saturated: load_options.StopWhenSaturated = None,
    seed: load_options.Seed = None,
    workload: options.Workload = None,
    input_tokens: options.InputTokens = None,
    output_tokens: options.OutputTokens = None,
    ignore_eos: options.IgnoreEos = None,
    kind: options.Kind = None,
    dataset: options.Dataset = None,
    trace: options.Trace = None,
    order: options.OrderOption = None,
    weights: options.Weights = None,
    workload_seed: options.Seed = None,
    cache: options.Cache = None,
    tokenizer: options.TokenizerOption = None,
    sweep: Sweep = None,
    sweep_rate: SweepRate = None,
    search: Search = False,
    point_requests: PointRequests = None,
    point_duration: PointDuration = None,
    warmup: load_options.Warmup = None,
    warmup_duration: load_options.WarmupDuration = None,
    warmup_prefix: load_options.WarmupPrefix = None,
    max_duration: load_options.MaxDuration = None,
    exclusive: request_options.Exclusive = None,
    share_endpoint: request_options.ShareEndpoint = None,
    budget_usd: request_options.BudgetUsd = None,
    allow_unpriced: request_options.AllowUnpriced = None,
    observe: request_options.Observe = None,
    slo: request_options.Slo = None,
    webhook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="URL that gets the events of this benchmark. Its secret is printed once."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Whether another worker continues if the first stops or dies.")
    ] = True,
    connect_timeout: request_options.ConnectTimeout = None,
    ttft_timeout: request_options.TtftTimeout = None,
    idle_timeout: request_options.IdleTimeout = None,
    total_timeout: request_options.TotalTimeout = None,
    fail_if: gate_options.FailIf = None,
    baseline: gate_options.Baseline = None,
    junit: gate_options.Junit = None,
    summary: gate_options.Summary = None,
    strict: gate_options.Strict = False,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar=SERVER_ENV,
            help="Server that runs it. By default the one that is up in this folder, else a stack of its own.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only check it and estimate requests, tokens, duration and cost."),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Submit it, print its id, and do not wait.")] = False,
    as_json: AsJson = False,
    results: WithResults = False,
    explain: Explain = False,
) -> None:
    """Run a benchmark and show its numbers.

    Without --server, the `llmbench up` of this folder runs it. If there is none, or if it lacks the endpoint or key of
    this environment, API, worker and simulator are started only for this run, on the same database. Ctrl-C cancels
    the benchmark and shows the numbers so far.
    """
    from cli.gating import gate_of
    from cli.options import spec as specs
    from cli.submitting import run_to_end, show_estimate

    gate = gate_of(fail_if or [], baseline, junit, summary, strict=strict)
    if detach and gate is not None:
        raise usage(
            "--detach does not wait for a verdict: judge the benchmark with `llmbench gate ID` when it has ended"
        )

    spec, stdin = _sources(spec, source)
    if [spec, prompts, stdin, *(prompt or [])].count("-") > 1:
        raise usage("stdin can be read only once: give - in one place")
    base = specs.load_spec(spec) if spec else {}
    short_form = {
        "concurrency": concurrency,
        "request_rate": rate,
        "arrival": arrival and arrival.value,
        "warmup": warmup,
    }
    body = specs.merge(
        base,
        load=swept_load(
            base.get("load"),
            sweep,
            sweep_rate,
            search=search,
            requests=point_requests,
            duration_s=point_duration,
        ),
        prompts=_prompts(prompt or [], prompts, stdin),
        parameters={
            **specs.typed_pairs(param or [], "--param"),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "stop": stop or None,
            "service_tier": service_tier,
        },
        extra_body=specs.typed_pairs_or_objects(extra_body or [], "--extra-body"),
        timeouts={
            "connect_s": connect_timeout,
            "ttft_s": ttft_timeout,
            "idle_s": idle_timeout,
            "total_s": total_timeout,
        },
        metadata=specs.pairs(metadata or [], "--metadata"),
        workload=options.workload(
            source=workload,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            ignore_eos=ignore_eos,
            kinds=kind,
            dataset=dataset,
            trace=trace,
            order=order,
            weights=weights,
            seed=workload_seed,
            cache=cache,
            tokenizer=tokenizer,
        ),
        model=model,
        provider=provider,
        system=system,
        name=name,
        repetitions=repetitions,
        max_duration_s=max_duration,
        exclusive=exclusive,
        share_endpoint=share_endpoint,
        budget_usd=budget_usd,
        allow_unpriced=allow_unpriced,
        on_interrupt=None if resume else "fail",
        warmup_prefix=warmup_prefix,
        observe=observe,
        slos=specs.slos(slo or []),
        webhook_url=webhook,
        **short_form,
    )
    load = {
        "burstiness": burstiness,
        "burst": burst,
        "ramp": ramp,
        "first_wave_s": first_wave,
        "think_time_s": think_time,
        "max_prefill": max_prefill,
        "drop_after_s": drop_after,
        "probe_rate": probe_rate,
        "requests": requests,
        "duration_s": duration,
        "grace_s": grace,
        "stop_on_error_rate": stop_on_error_rate,
        "stop_when_saturated": stop_when_saturated,
        "seed": seed,
        "warmup_s": warmup_duration,
    }
    body = specs.named(load_options.with_load(body, load, given=short_form))
    if dry_run:
        show_estimate(body, server, as_json=as_json)
    else:
        run_to_end(body, server, detach=detach, as_json=as_json, results=results, explain=explain, gate=gate)


def _sources(spec: str | None, argument: str | None) -> tuple[str | None, str | None]:
    """(file of the spec, `-` if prompts come from stdin)."""
    if argument in (None, "-"):
        return spec, argument
    if not str(argument).lower().endswith(SPEC_FILES):
        raise usage(f"unexpected argument {argument!r}: give a prompt with --prompt, a file of a spec, or - for stdin")
    if spec is not None:
        raise usage(f"two specs: {argument}, and {spec} of --spec")
    return argument, None


def _prompts(texts: list[str], file: str | None, stdin: str | None) -> list[Any]:
    """All given prompts, in this order: --prompt, --prompts, stdin."""
    from cli.options.prompts import load_prompts
    from cli.options.reading import STDIN

    found: list[Any] = [text for text in texts if text != STDIN]
    if file is not None:
        found += load_prompts(file)
    if file != STDIN and (stdin == STDIN or STDIN in texts):
        found += load_prompts(STDIN)
    return found
