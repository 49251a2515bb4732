"""`/ui/keys` for admins: those of an owner or of all, a form for another key, and revoking one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from api.access.caller import caller_of
from api.access.needs import needs
from api.access.setup import Access
from api.http.errors import field_errors
from api.http.proxy import link
from api.lists.cursor import decode_cursor, encode_cursor
from api.pages.forms.values import Values
from api.pages.owner_filter import OwnerFilter, reader_of, shown_owner
from api.pages.routes.form_body import Form, done
from api.pages.site import page
from api.pages.urls import with_query
from api.routes.keys import KeyId, Keys, TheAccess
from api.schemas.keys import KeyIn
from api.state import Parts, State
from shared.db.access.keys import KeyRepository, NewKey, shown_state
from shared.db.tables.access import ApiKey
from shared.errors import Conflict, FieldError, NotFound

router = APIRouter(prefix="/ui/keys", include_in_schema=False, dependencies=[needs("admin")])

PATH = "/ui/keys"
KEYS_A_PAGE = 100
# What the form offers: days and words. Empty: the key does not expire.
LIFETIMES = (
    ("", "never"),
    ("1", "in a day"),
    ("7", "in a week"),
    ("30", "in 30 days"),
    ("90", "in 90 days"),
    ("365", "in a year"),
)
DEFAULT_LIFETIME = "90"

Owner = Annotated[OwnerFilter, Query()]
After = Annotated[str | None, Query(max_length=500)]


@router.get("")
async def keys(request: Request, parts: Parts, access: TheAccess, owner: Owner = None, after: After = None) -> Response:
    """Keys of the owner whom this login looks at; `owner` asks for another one, or for all.

    Revoked and expired keys stay in the list.
    """
    return await _list(request, parts, access, owner=owner, after=after)


@router.post("", dependencies=[needs("admin")])
async def create(values: Form, request: Request, parts: Parts, access: TheAccess, repository: Keys) -> Response:
    """Shows the new key, once."""
    document: dict[str, Any] = {
        "name": values.get("name", "").strip(),
        "owner": values.get("owner", "").strip(),
        "scope": values.get("scope", ""),
        "requests_per_minute": _number(values.get("requests_per_minute", "")),
        "concurrent_requests": _number(values.get("concurrent_requests", "")),
    }
    days = values.get("expires", "")
    if days not in dict(LIFETIMES):
        return await _list(request, parts, access, values, [FieldError("expires", "is none of the choices", "choice")])
    try:
        body = KeyIn.model_validate(document)
        new = NewKey(**body.model_dump())
        if days:
            new = replace(new, expires_at=parts.clock.wall_now() + timedelta(days=int(days)))
        row, text = await repository.create(new)
    except ValidationError as exc:
        found = [{**error, "loc": ("body", *error["loc"])} for error in exc.errors(include_url=False)]
        return await _list(request, parts, access, values, field_errors(found, document))
    except Conflict as exc:
        return await _list(request, parts, access, values, [FieldError("body", exc.message, exc.code)])
    # Not in a URL, which would be logged and kept in histories.
    return page(
        request,
        "access/new_key.html",
        status_code=201,
        headers={"Cache-Control": "no-store"},
        key=row,
        text=text,
        is_first=caller_of(request).via == "local",
    )


@router.get("/{key_id}/revoke")
async def ask_before_revocation(key_id: KeyId, request: Request, access: TheAccess) -> Response:
    """Says what will stop working."""
    known = await access.keys.by_id(key_id)
    if known is None:
        raise NotFound(f"there is no key {key_id}")
    is_own = caller_of(request).key_id == key_id
    return page(request, "access/revoke.html", key=known.row, state=known.state, is_own=is_own)


@router.post("/{key_id}/revoke", dependencies=[needs("admin")])
async def revoke(key_id: KeyId, values: Form, request: Request, access: TheAccess, repository: Keys) -> Response:
    """A form without `confirmed` leads to the question."""
    if values.get("confirmed") != "yes":
        return await ask_before_revocation(key_id, request, access)
    await repository.revoke(key_id)
    return done(PATH, "key-revoked")


async def _list(
    request: Request,
    parts: State,
    access: Access,
    values: Values | None = None,
    errors: Sequence[FieldError] = (),
    *,
    owner: str | None = None,
    after: str | None = None,
) -> Response:
    """The page, with what was typed and what is wrong with it."""
    start = decode_cursor(after, str, str) if after else None
    reader = reader_of(request, owner)
    rows = await KeyRepository(reader, parts.database, access.hasher).page(after=start, limit=KEYS_A_PAGE + 1)
    shown, now = rows[:KEYS_A_PAGE], parts.clock.wall_now()
    last: ApiKey | None = shown[-1] if len(rows) > len(shown) else None
    here = link(PATH)
    pairs = [("owner", owner or "")]
    wrong: dict[str, str] = {}
    for error in errors:
        wrong.setdefault(error.field, error.message)
    return page(
        request,
        "access/keys.html",
        status_code=422 if errors else 200,
        keys=[(row, shown_state(row, access.hasher, now)) for row in shown],
        owners=await access.login.owners(),
        shown=shown_owner(reader),
        lifetimes=LIFETIMES,
        typed=values if values is not None else {"owner": reader.owner, "scope": "run", "expires": DEFAULT_LIFETIME},
        wrong=wrong,
        are_keys=await access.keys.are_keys(),
        first_url=with_query(here, pairs) if after else None,
        next_url=None if last is None else with_query(here, pairs, after=encode_cursor(last.owner, last.id)),
    )


def _number(text: str) -> int | str | None:
    """An empty field is none; what is no number is left for the schema to say so."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else text or None
