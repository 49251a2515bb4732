"""What the pages do with a benchmark: run it again, cancel it, delete it; and run the demo."""

import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.access.needs import needs
from api.pages.forms.values import Values
from api.pages.routes.form_body import Form, done
from api.pages.site import page
from api.schemas.benchmark_request import BenchmarkBody
from api.schemas.ids import RowId
from api.state import Parts
from shared.errors import Conflict

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

BenchmarkId = Annotated[RowId, Path()]

# The name of the field that makes a second press of a button harmless, and what may be in it.
KEY = "key"
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")

# Its answers differ in speed, so that each chart of its page has something to show.
DEMO: dict[str, Any] = {
    "name": "Demo against the simulator",
    "model": "sim-ttft120-gap8-n24-jit6",
    "provider": "simulator",
    "prompts": [
        "Say hello in exactly 3 words",
        "What is 2 + 2?",
        "Name a river.",
        "Why is the sky blue? Answer in one sentence.",
    ],
    "repetitions": 10,
    "concurrency": 4,
    "metadata": {"demo": "true"},
}


def new_key() -> str:
    """For the hidden field of a form."""
    return secrets.token_urlsafe(12)


def key_of(values: Values) -> str | None:
    """The Idempotency-Key of a form; None if it has none."""
    key = values.get(KEY, "")
    return f"ui-{key}" if _KEY.fullmatch(key) else None


@router.post("/benchmarks/{benchmark_id}/rerun", dependencies=[needs("run")])
async def rerun(benchmark_id: BenchmarkId, values: Form, parts: Parts) -> Response:
    """The same benchmark again, as a new one."""
    submitted = await parts.submitter.rerun(benchmark_id, key_of(values))
    return done(f"/ui/benchmarks/{submitted.benchmark.id}", "rerun")


@router.post("/benchmarks/{benchmark_id}/cancel", dependencies=[needs("run", across_owners=True)])
async def cancel(benchmark_id: BenchmarkId, values: Form, parts: Parts) -> Response:
    """Its results stay."""
    to = f"/ui/benchmarks/{benchmark_id}"
    try:
        benchmark = await parts.benchmarks.cancel(benchmark_id)
    except Conflict:
        # It ended while the person looked at the page.
        return done(to, "ended-before")
    if benchmark.status == "running":
        await parts.doorbell.announce_cancel(benchmark_id)
        return done(to, "cancelling")
    await parts.doorbell.announce_webhooks()
    return done(to, "cancelled")


@router.get("/benchmarks/{benchmark_id}/delete", dependencies=[needs("run")])
async def ask_before_deletion(benchmark_id: BenchmarkId, request: Request, parts: Parts) -> Response:
    """Says what will be lost."""
    benchmark = await parts.benchmarks.get(benchmark_id)
    return page(request, "actions/delete.html", benchmark=benchmark)


@router.post("/benchmarks/{benchmark_id}/delete", dependencies=[needs("run", across_owners=True)])
async def delete(benchmark_id: BenchmarkId, values: Form, request: Request, parts: Parts) -> Response:
    """Deletes only what was asked about: a form without `confirmed` leads to the question."""
    if values.get("confirmed") != "yes":
        return await ask_before_deletion(benchmark_id, request, parts)
    try:
        was_running = await parts.benchmarks.delete(benchmark_id)
    except Conflict as exc:
        benchmark = await parts.benchmarks.get(benchmark_id)
        return page(request, "actions/delete.html", status_code=409, benchmark=benchmark, refused=exc.message)
    if was_running:
        await parts.doorbell.announce_cancel(benchmark_id)
    return done("/ui/benchmarks", "deleted")


@router.post("/demo", dependencies=[needs("run")])
async def demo(values: Form, request: Request, parts: Parts) -> Response:
    """Runs a small benchmark against the simulator. Never against a provider, which would cost money."""
    await parts.endpoints.loaded()
    endpoint = parts.endpoints.get(DEMO["provider"])
    if endpoint is None or not endpoint.stand_in:
        return page(request, "actions/no_demo.html", status_code=409)
    submitted = await parts.submitter.submit(BenchmarkBody.model_validate(DEMO).request(), key_of(values))
    return done(f"/ui/benchmarks/{submitted.benchmark.id}", "demo")
