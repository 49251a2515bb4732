"""`/ui/webhooks`: registered endpoints, their deliveries with all attempts, and what can be done about them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from api.access.needs import needs
from api.http.errors import field_errors
from api.http.proxy import link
from api.pages.forms.values import Values
from api.pages.routes.form_body import Form, done
from api.pages.site import page
from api.present.webhooks import delivery_out, webhook_out
from api.schemas.ids import RowId
from api.schemas.webhooks import WebhookIn
from api.state import Parts, State
from shared.errors import FieldError, InvalidRequest, Unavailable
from shared.webhooks.message import EventType, new_secret

router = APIRouter(prefix="/ui/webhooks", include_in_schema=False, dependencies=[needs("read")])

Id = Annotated[RowId, Path()]
Before = Annotated[RowId | None, Query(description="Only rows with smaller ids.")]

EVENTS: Sequence[str] = get_args(EventType)
WEBHOOKS_A_PAGE, DELIVERIES_A_PAGE = 100, 20


@router.get("")
async def webhooks(request: Request, parts: Parts, before: Before = None) -> Response:
    """The registered endpoints, newest first, and a form for another one."""
    return await _list(request, parts, before=before)


@router.post("", dependencies=[needs("run")])
async def register(values: Form, request: Request, parts: Parts) -> Response:
    """Shows the secret of the new endpoint, once."""
    events = [event for event in EVENTS if values.get(f"event.{event}")]
    document = {
        "url": values.get("url", "").strip(),
        "description": values.get("description", "").strip(),
        # All of them: also those that later versions add.
        "events": None if len(events) == len(EVENTS) else events,
    }
    try:
        body = WebhookIn.model_validate(document)
        prepared = await parts.webhook_setup.prepare(
            body.url, body.events, None, field="url", description=body.description
        )
    except ValidationError as exc:
        found = [{**error, "loc": ("body", *error["loc"])} for error in exc.errors(include_url=False)]
        return await _list(request, parts, values, field_errors(found, document))
    except InvalidRequest as exc:
        return await _list(request, parts, values, exc.errors)
    except Unavailable as exc:
        return await _list(request, parts, values, [FieldError("body", exc.message, exc.code)])
    endpoint = await parts.webhooks.add(prepared.endpoint)
    return _secret(request, endpoint.id, prepared.secret, status_code=201)


@router.get("/{webhook_id}")
async def webhook(webhook_id: Id, request: Request, parts: Parts, before: Before = None) -> Response:
    """An endpoint with its deliveries, newest first."""
    endpoint = await parts.webhooks.get(webhook_id)
    rows = await parts.deliveries.page(
        endpoint_id=webhook_id, benchmark_id=None, before_id=before, limit=DELIVERIES_A_PAGE + 1
    )
    shown = rows[:DELIVERIES_A_PAGE]
    return page(
        request,
        "webhooks/webhook.html",
        webhook=webhook_out(endpoint),
        deliveries=[delivery_out(row) for row in shown],
        **_pages(f"/ui/webhooks/{webhook_id}", before, shown[-1].delivery.id if len(rows) > len(shown) else None),
    )


@router.post("/{webhook_id}/enable", dependencies=[needs("run")])
async def enable(webhook_id: Id, values: Form, parts: Parts) -> Response:
    """Deliveries that are due are sent at once."""
    await parts.webhooks.change(webhook_id, {"enabled": True})
    await parts.doorbell.announce_webhooks()
    return done(f"/ui/webhooks/{webhook_id}", "webhook-enabled")


@router.post("/{webhook_id}/disable", dependencies=[needs("run")])
async def disable(webhook_id: Id, values: Form, parts: Parts) -> Response:
    """Deliveries that are due wait."""
    await parts.webhooks.change(webhook_id, {"enabled": False})
    return done(f"/ui/webhooks/{webhook_id}", "webhook-disabled")


@router.post("/{webhook_id}/test", dependencies=[needs("run")])
async def test(webhook_id: Id, values: Form, parts: Parts) -> Response:
    """A worker sends a test event at once."""
    await parts.webhooks.test(webhook_id)
    await parts.doorbell.announce_webhooks()
    return done(f"/ui/webhooks/{webhook_id}", "webhook-tested")


@router.post("/{webhook_id}/secret", dependencies=[needs("run")])
async def rotate(webhook_id: Id, values: Form, request: Request, parts: Parts) -> Response:
    """Shows the new secret, once."""
    secret = new_secret()
    until = await parts.webhooks.rotate(webhook_id, parts.webhook_setup.seal(secret))
    return _secret(request, webhook_id, secret, until=until)


@router.get("/{webhook_id}/delete", dependencies=[needs("run")])
async def ask_before_deletion(webhook_id: Id, request: Request, parts: Parts) -> Response:
    """Says what will be lost."""
    return page(request, "webhooks/delete.html", webhook=webhook_out(await parts.webhooks.get(webhook_id)))


@router.post("/{webhook_id}/delete", dependencies=[needs("run")])
async def delete(webhook_id: Id, values: Form, request: Request, parts: Parts) -> Response:
    """A form without `confirmed` leads to the question."""
    if values.get("confirmed") != "yes":
        return await ask_before_deletion(webhook_id, request, parts)
    await parts.webhooks.delete(webhook_id)
    return done("/ui/webhooks", "webhook-deleted")


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", dependencies=[needs("run")])
async def redeliver(webhook_id: Id, delivery_id: Id, values: Form, parts: Parts) -> Response:
    """The same event again, with the same id."""
    await parts.webhooks.get(webhook_id)
    await parts.deliveries.redeliver(delivery_id, endpoint_id=webhook_id)
    await parts.doorbell.announce_webhooks()
    return done(f"/ui/webhooks/{webhook_id}", "redelivered")


async def _list(
    request: Request,
    parts: State,
    values: Values | None = None,
    errors: Sequence[FieldError] = (),
    *,
    before: int | None = None,
) -> Response:
    """The page, with what was typed and what is wrong with it."""
    rows = await parts.webhooks.page(before_id=before, limit=WEBHOOKS_A_PAGE + 1)
    shown = rows[:WEBHOOKS_A_PAGE]
    wrong: dict[str, str] = {}
    for error in errors:
        # Of an event: `events[0]`.
        wrong.setdefault(error.field.partition("[")[0], error.message)
    return page(
        request,
        "webhooks/list.html",
        status_code=422 if errors else 200,
        webhooks=[webhook_out(row) for row in shown],
        events=EVENTS,
        typed=values if values is not None else {f"event.{event}": "on" for event in EVENTS},
        wrong=wrong,
        can_store_secrets=parts.settings.encryption_key is not None,
        **_pages("/ui/webhooks", before, shown[-1].id if len(rows) > len(shown) else None),
    )


def _pages(path: str, before: int | None, last: int | None) -> Mapping[str, Any]:
    """Links to the newest rows and to the next ones. `last`: the last row shown, if more follow."""
    return {
        "first_url": None if before is None else link(path),
        "next_url": None if last is None else link(f"{path}?before={last}"),
    }


def _secret(request: Request, webhook_id: int, secret: str, *, status_code: int = 200, until: Any = None) -> Response:
    """Not in a URL, which would be logged and kept in histories."""
    return page(
        request,
        "webhooks/secret.html",
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
        webhook_id=webhook_id,
        secret=secret,
        until=until,
    )
