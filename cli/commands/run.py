"""`llmbench run`: one benchmark from flags, files or stdin, to its end."""

from typing import Annotated, Any

import typer

from cli.exits import usage
from cli.options import SERVER_ENV, AsJson, Explain, WithResults


def run(
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="ID", help="Model id.")] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", metavar="TEXT", help="A prompt; repeatable; `-` reads stdin."),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A prompt a line; .jsonl: a JSON string or prompt object a line; `-`: stdin.",
        ),
    ] = None,
    stdin: Annotated[str | None, typer.Argument(metavar="-", help="`-` reads prompts from stdin.")] = None,
    spec: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A whole benchmark as YAML or JSON; flags win over it; `-`: stdin.",
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Endpoint, as in `llmbench providers`. Inferred from the model."),
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="System text of every prompt.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Name of the benchmark. Derived where left out.")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Kept with the benchmark; repeatable."),
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(metavar="N", help="Most output tokens.")] = None,
    temperature: Annotated[float | None, typer.Option(metavar="X", help="Sampling temperature.")] = None,
    top_p: Annotated[float | None, typer.Option(metavar="X", help="Nucleus sampling share.")] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Text that ends the output; repeatable.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Any other parameter: seed=42, reasoning_effort=low."),
    ] = None,
    repetitions: Annotated[
        int | None, typer.Option("--repetitions", "-n", metavar="N", help="How often each prompt is sent.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            "-c",
            metavar="N",
            help="Requests in flight at a time: all, at most 8, where left out. With --rate: the most in flight.",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", metavar="N", help="Requests per second by a schedule, whatever the answers take."),
    ] = None,
    arrival: Annotated[
        str | None, typer.Option(metavar="constant|poisson", help="How --rate spaces them: evenly, or at random.")
    ] = None,
    warmup: Annotated[int | None, typer.Option(metavar="N", help="Requests before, not in the statistics.")] = None,
    max_duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="For the whole run; then it fails with what it has.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Whether another worker may go on when the first is gone.")
    ] = True,
    connect_timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="For a connection.")] = None,
    ttft_timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="For the first token.")] = None,
    idle_timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Between two events.")] = None,
    total_timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="For a whole request.")] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar=SERVER_ENV, help="Server to run it. Without: a stack for this run alone."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Submit, print the id, do not wait.")] = False,
    as_json: AsJson = False,
    results: WithResults = False,
    explain: Explain = False,
) -> None:
    """Run a benchmark and show its numbers.

    Goes to --server, or starts API, worker and simulator just for this run; it is stored in the same database either
    way, where `llmbench up` and `llmbench list` find it. Ctrl-C cancels it and shows what there is.
    """
    from cli import spec as specs

    if [spec, prompts, stdin, *(prompt or [])].count("-") > 1:
        raise usage("stdin can be read once: give - in one place")
    body = specs.merge(
        specs.load_spec(spec) if spec else {},
        prompts=_prompts(prompt or [], prompts, stdin),
        parameters={
            **specs.typed_pairs(param or [], "--param"),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "stop": stop or None,
        },
        timeouts={
            "connect_s": connect_timeout,
            "ttft_s": ttft_timeout,
            "idle_s": idle_timeout,
            "total_s": total_timeout,
        },
        metadata=specs.pairs(metadata or [], "--metadata"),
        model=model,
        provider=provider,
        system=system,
        name=name,
        repetitions=repetitions,
        concurrency=concurrency,
        request_rate=rate,
        arrival=arrival,
        max_duration_s=max_duration,
        on_interrupt=None if resume else "fail",
        warmup=warmup,
    )
    if server is None:
        if detach:
            raise usage(f"--detach needs a server that goes on: --server URL or {SERVER_ENV}")
        specs.check(body)
    _run(body, server, detach=detach, as_json=as_json, results=results, explain=explain)


def _run(
    body: dict[str, Any], server: str | None, *, detach: bool, as_json: bool, results: bool, explain: bool
) -> None:
    from cli.outcome import show_to_end
    from cli.stop import Stop
    from cli.target import target

    with Stop() as stop, target(server, stop, check_ready=not detach) as where:
        submitted = where.client.submit(body)
        code = show_to_end(where, submitted, stop, detach=detach, as_json=as_json, results=results, explain=explain)
    raise typer.Exit(code)


def _prompts(texts: list[str], file: str | None, stdin: str | None) -> list[Any]:
    """All prompts that were given, in this order: --prompt, --prompts, stdin."""
    from cli.prompts import STDIN, load_prompts

    if stdin not in (None, STDIN):
        raise usage(f"unexpected argument {stdin!r}: give a prompt with --prompt, or - for stdin")
    found: list[Any] = [text for text in texts if text != STDIN]
    if file is not None:
        found += load_prompts(file)
    if file != STDIN and (stdin == STDIN or STDIN in texts):
        found += load_prompts(STDIN)
    return found
