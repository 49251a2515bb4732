"""`/keys` for admins: list, make and revoke API keys; `/whoami` for every caller."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from api.access.caller import caller_of
from api.access.needs import needs
from api.access.setup import Access
from api.http.body import JsonRoute
from api.http.proxy import link
from api.lists.cursor import decode_cursor, encode_cursor
from api.routes.benchmarks import INVALID
from api.schemas.keys import KeyCreated, KeyIn, KeyOut, KeyPage, WhoAmI
from api.schemas.problem import Problem
from api.schemas.webhooks import PageQuery
from api.state import Parts
from shared.db.access.keys import KeyRepository, NewKey, ShownState, shown_state
from shared.db.tables.access import ApiKey
from shared.errors import InvalidRequest

router = APIRouter(tags=["keys"], route_class=JsonRoute)

KeyId = Annotated[str, Path(pattern="^[0-9a-z]{8}$", description="Id of the key.", examples=["ab12cd34"])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such key."}}
FIRST = (
    "Open access has ended: from now on every request needs a key, also on this machine. Give it to the command line "
    "with LLMBENCH_API_KEY or --api-key-file."
)


async def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


TheAccess = Annotated[Access, Depends(_access)]


async def _keys(access: TheAccess, parts: Parts) -> KeyRepository:
    return KeyRepository(parts.caller, parts.database, access.hasher)


Keys = Annotated[KeyRepository, Depends(_keys)]


@router.post(
    "/keys",
    dependencies=[needs("admin")],
    operation_id="createKey",
    status_code=status.HTTP_201_CREATED,
    summary="Make an API key",
    responses={
        **INVALID,
        409: {"model": Problem, "description": "The first key must have the scope `admin`, or somebody made it first."},
    },
)
async def create(
    body: KeyIn, request: Request, access: TheAccess, keys: Keys, parts: Parts, response: Response
) -> KeyCreated:
    """Only this answer contains the key. An admin makes keys for any owner.

    While there are no keys, everyone on this machine is an admin. The first key ends that for good, so it must be one
    of an admin.
    """
    now = parts.clock.wall_now()
    if body.expires_at is not None and body.expires_at <= now:
        raise InvalidRequest.of("expires_at", "must be in the future")
    row, text = await keys.create(NewKey(**body.model_dump()))
    response.headers["Location"] = link(f"/keys/{row.id}")
    response.headers["Cache-Control"] = "no-store"
    notice = FIRST if caller_of(request).via == "local" else None
    return KeyCreated(**_out(row, shown_state(row, access.hasher, now)).model_dump(), key=text, notice=notice)


@router.get(
    "/keys",
    dependencies=[needs("admin")],
    operation_id="listKeys",
    summary="List API keys by owner",
    responses=INVALID,
)
async def list_keys(query: Annotated[PageQuery, Query()], access: TheAccess, keys: Keys, parts: Parts) -> KeyPage:
    """Those of the caller's owner; `owner=*` lists those of all. Revoked and expired keys stay in the list."""
    after = decode_cursor(query.cursor, str, str) if query.cursor else None
    rows = await keys.page(after=after, limit=query.limit + 1)
    items = rows[: query.limit]
    now = parts.clock.wall_now()
    return KeyPage(
        items=[_out(row, shown_state(row, access.hasher, now)) for row in items],
        next_cursor=encode_cursor(items[-1].owner, items[-1].id) if len(rows) > query.limit else None,
    )


@router.delete(
    "/keys/{key_id}",
    dependencies=[needs("admin")],
    operation_id="revokeKey",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Revoke an API key",
    responses={**NOT_FOUND, **INVALID},
)
async def revoke(key_id: KeyId, keys: Keys) -> None:
    """It is refused from now on, and its sessions end. It stays in the list, and revoking it again changes nothing.

    The last admin key can be revoked too. `llmbench keys bootstrap`, which needs the database, makes another.
    """
    await keys.revoke(key_id)


@router.get("/whoami", dependencies=[needs("read")], operation_id="getWhoami", summary="Who the caller is")
async def whoami(request: Request, access: TheAccess) -> WhoAmI:
    """Owner and scope of the key that the request was sent with."""
    caller = caller_of(request)
    found = None if caller.key_id is None else await access.keys.by_id(caller.key_id)
    row = None if found is None else found.row
    return WhoAmI(
        owner=caller.owner,
        scope=caller.scope,
        via=caller.via,
        key_id=caller.key_id,
        key_name=None if row is None else row.name,
        expires_at=None if row is None else row.expires_at,
    )


def _out(row: ApiKey, state: ShownState) -> KeyOut:
    return KeyOut(
        id=row.id,
        name=row.name,
        owner=row.owner,
        scope=row.scope,
        state=state,
        requests_per_minute=row.requests_per_minute,
        concurrent_requests=row.concurrent_requests,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
