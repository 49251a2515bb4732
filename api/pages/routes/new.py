"""`/ui/benchmarks/new`: the form for a new benchmark, and what it would send, take and cost."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.access.needs import needs
from api.http.proxy import link
from api.pages.forms.checking import CheckedForm, check
from api.pages.forms.earlier import request_of
from api.pages.forms.equivalent import FILE_NAME, MEDIA_TYPE, yaml_spec
from api.pages.forms.fields import FIELDS, LOADS, SOURCES, opened
from api.pages.forms.mistakes import Mistake, mistakes_of
from api.pages.forms.prefill import values_of
from api.pages.forms.preview import commands, figures
from api.pages.forms.values import Values
from api.pages.routes.actions import KEY, key_of, new_key
from api.pages.routes.form_body import Form, done
from api.pages.routes.form_choices import datasets, providers
from api.pages.site import is_partial, page
from api.schemas.ids import RowId, is_id
from api.state import Parts, State
from api.submission.money_checks import OWN
from shared.errors import BudgetExhausted, Conflict, InvalidRequest, Unavailable

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

Earlier = Annotated[RowId | None, Query(alias="from")]

# Longer prompts of an earlier benchmark are not put into the page. They are read again at the start.
MAX_PREFILLED_CHARS = 200_000
# Hidden fields: the benchmark that the form was filled from, and the one whose prompts are sent if none are typed.
FROM, PROMPTS_FROM = "from", "prompts_from"
# A preview before anything was typed.
_NOTHING: dict[str, Any] = {"mistakes": (), "figures": None, "commands": None}


@router.get("/benchmarks/new", dependencies=[needs("run")])
async def new(request: Request, parts: Parts, earlier_id: Earlier = None) -> Response:
    """An empty form, or one that is filled from an earlier benchmark."""
    values = {} if earlier_id is None else await _filled(parts, earlier_id)
    return await _form(request, parts, values)


@router.post("/benchmarks/new/preview", dependencies=[needs("run")])
async def preview(values: Form, request: Request, parts: Parts) -> Response:
    """The preview alone for scripts, and the whole page for the button."""
    checked = await _checked(parts, values)
    if is_partial(request):
        return page(request, "new/preview.html", **await _preview(request, parts, checked))
    return await _form(request, parts, values, checked, status_code=422 if checked.mistakes else 200)


@router.post("/benchmarks/new/file", dependencies=[needs("run")])
async def file(values: Form, request: Request, parts: Parts) -> Response:
    """The benchmark as a file for `llmbench run`, with all its prompts."""
    checked = await _checked(parts, values)
    if checked.mistakes:
        return await _form(request, parts, values, checked, status_code=422)
    content = await asyncio.to_thread(yaml_spec, checked.draft.document)
    headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


@router.post("/benchmarks", dependencies=[needs("run")])
async def start(values: Form, request: Request, parts: Parts) -> Response:
    """Stores the benchmark. The same form again leads to the same benchmark; a changed form makes a new one."""
    checked = await _checked(parts, values)
    body = checked.body
    if body is None:
        return await _form(request, parts, values, checked, status_code=422)
    try:
        submitted = await parts.submitter.submit(body.request(), _once(values))
    except InvalidRequest as exc:
        checked = CheckedForm(checked.draft, None, mistakes_of(checked.draft, exc.errors))
    except BudgetExhausted as exc:
        checked = CheckedForm(checked.draft, None, [_of_budget(exc)])
    except Conflict as exc:
        # The benchmark that this form started was deleted: the next press starts another one.
        checked = CheckedForm(checked.draft, None, [Mistake(None, exc.message)])
        values = {**values, KEY: new_key()}
    except Unavailable as exc:
        if body.webhook_url is None:
            raise
        checked = CheckedForm(checked.draft, None, [Mistake("webhook_url", exc.message)])
    else:
        path = f"/ui/benchmarks/{submitted.benchmark.id}"
        if submitted.secret is None:
            return done(path, "started" if submitted.created else "started-before")
        # Not in a URL, which would be logged and kept in histories.
        return page(
            request,
            "new/secret.html",
            status_code=201,
            headers={"Cache-Control": "no-store"},
            benchmark=submitted.benchmark,
            secret=submitted.secret,
        )
    return await _form(request, parts, values, checked, status_code=422)


async def _filled(parts: State, earlier_id: int) -> Values:
    """The form of an earlier benchmark."""
    spec, _ = await parts.benchmarks.spec(earlier_id)
    webhook = await parts.webhooks.of_benchmark(earlier_id)
    of_webhook = () if webhook is None else (webhook.url, webhook.chosen)
    values = await asyncio.to_thread(lambda: values_of(request_of(spec, *of_webhook)))
    if len(values.get("prompts", "")) > MAX_PREFILLED_CHARS:
        values |= {PROMPTS_FROM: str(earlier_id), "prompts": "", "prompts_format": "lines"}
    return {**values, FROM: str(earlier_id)}


async def _checked(parts: State, values: Values) -> CheckedForm:
    """In a thread, because there may be many prompts."""
    earlier: Sequence[Any] = ()
    if (number := _number(values.get(PROMPTS_FROM, ""))) is not None and not values.get("prompts", "").strip():
        spec, _ = await parts.benchmarks.spec(number)
        earlier = request_of(spec).get("prompts", ())
    return await asyncio.to_thread(check, values, earlier)


def _number(text: str) -> int | None:
    return int(text) if is_id(text) else None


def _once(values: Values) -> str | None:
    """An Idempotency-Key of this form with this content."""
    key = key_of(values)
    if key is None:
        return None
    content = json.dumps(sorted(values.items())).encode()
    return f"{key}-{hashlib.sha256(content).hexdigest()[:32]}"


async def _form(
    request: Request,
    parts: State,
    values: Values,
    checked: CheckedForm | None = None,
    *,
    status_code: int = 200,
) -> Response:
    """The whole page. Nothing that was typed is lost."""
    shown = {**_NOTHING} if checked is None else await _preview(request, parts, checked)
    wrong: dict[str | None, list[str]] = {}
    for mistake in shown["mistakes"]:
        wrong.setdefault(mistake.field, []).append(mistake.message)
    choices = {"provider": await providers(parts), "dataset": await datasets(parts)}
    earlier = _number(values.get(FROM, ""))
    return page(
        request,
        "new/form.html",
        status_code=status_code,
        fields=FIELDS,
        loads=LOADS,
        sources=SOURCES,
        opened=opened(values, wrong.keys()),
        choices=choices,
        values={"load": "closed", "source": "prompts", KEY: new_key(), **values},
        wrong=wrong,
        first_wrong=next((name for name in wrong if name is not None), None),
        earlier=earlier,
        prompts_from=_number(values.get(PROMPTS_FROM, "")),
        max_body_bytes=parts.settings.max_body_bytes,
        **shown,
    )


async def _preview(request: Request, parts: State, checked: CheckedForm) -> dict[str, Any]:
    """What `new/preview.html` shows."""
    mistakes, estimate = checked.mistakes, None
    if checked.body is not None:
        try:
            estimate = await parts.submitter.check(checked.body.request().spec)
        except InvalidRequest as exc:
            mistakes = mistakes_of(checked.draft, exc.errors)
        except BudgetExhausted as exc:
            mistakes = [_of_budget(exc)]
    if estimate is None:
        return {**_NOTHING, "mistakes": mistakes}
    return {
        "mistakes": mistakes,
        "figures": figures(estimate.estimate),
        "provider": estimate.endpoint.name,
        "notes": [*estimate.notices, *estimate.estimate["notes"]],
        "counted_by": estimate.estimate["tokens_counted_by"],
        "commands": await asyncio.to_thread(
            commands, checked.draft.document, _url(request, parts), parts.caller.key_id is not None
        ),
    }


def _of_budget(exc: BudgetExhausted) -> Mistake:
    """Beside its own field if it is the benchmark's own budget."""
    return Mistake("budget_usd" if exc.budget == OWN else None, exc.message)


def _url(request: Request, parts: State) -> str:
    """That of the API, as this person reaches it."""
    if parts.settings.public_url is not None:
        return parts.settings.public_url.rstrip("/")
    return f"{request.url.scheme}://{request.url.netloc}{link('')}"
