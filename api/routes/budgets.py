"""`/budgets`: what keys and owners may spend. For admins."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response, status

from api.access.needs import needs
from api.body import JsonRoute
from api.cursor import decode_cursor, encode_cursor
from api.present_money import budget_out
from api.schemas.budgets import BudgetIn, BudgetOut, BudgetPage, BudgetQuery
from api.schemas.problem import Problem
from api.state import Parts, State
from shared.access.owner import OWNER
from shared.benchmark.budget_spec import micros_of
from shared.budgets.cap_name import BudgetName
from shared.budgets.cap_name import Period as PeriodName

router = APIRouter(tags=["money"], route_class=JsonRoute, dependencies=[needs("admin")])

Owner = Annotated[str, Path(pattern=f"^{OWNER}$", description="Name of the owner.", examples=["acme"])]
KeyId = Annotated[str, Path(pattern="^[0-9a-z]{8}$", description="Id of the key.", examples=["ab12cd34"])]
Period = Annotated[PeriodName, Path(description="For each `day` or each `month`, in UTC.", examples=["month"])]

INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
}
NO_BUDGET: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such budget."}}
PUT: dict[int | str, dict[str, Any]] = {
    201: {"model": BudgetOut, "description": "The budget is new."},
    404: {"model": Problem, "description": "There is no such owner or key."},
    **INVALID,
}


@router.get("/budgets", operation_id="listBudgets", summary="List budgets", responses=INVALID)
async def list_budgets(query: Annotated[BudgetQuery, Query()], parts: Parts) -> BudgetPage:
    """Those of the caller's owner and its keys, with what is spent and reserved of each now."""
    after = decode_cursor(query.cursor, str)[0] if query.cursor else None
    found = await parts.budgets.page(after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return BudgetPage(
        items=[budget_out(state) for state in shown],
        next_cursor=encode_cursor(shown[-1].name.key) if more else None,
    )


@router.get(
    "/budgets/owners/{owner}/{period}",
    operation_id="getOwnerBudget",
    summary="Read the budget of an owner",
    responses={**NO_BUDGET, **INVALID},
)
async def read_of_owner(owner: Owner, period: Period, parts: Parts) -> BudgetOut:
    """With what is spent and reserved of it in this day or month."""
    return budget_out(await parts.budgets.get(BudgetName("owner", owner, period)))


@router.put(
    "/budgets/owners/{owner}/{period}",
    operation_id="setOwnerBudget",
    summary="Set the budget of an owner",
    responses=PUT,
)
async def put_of_owner(owner: Owner, period: Period, body: BudgetIn, parts: Parts, response: Response) -> BudgetOut:
    """A changed budget holds at once. A new one holds for benchmarks that begin from now on, and for those that run
    from the next day on; it counts what this day or month has spent already.
    """
    return await _put(BudgetName("owner", owner, period), body, parts, response)


@router.delete(
    "/budgets/owners/{owner}/{period}",
    operation_id="deleteOwnerBudget",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete the budget of an owner",
    responses={**NO_BUDGET, **INVALID},
)
async def delete_of_owner(owner: Owner, period: Period, parts: Parts) -> None:
    """From now on the owner may spend without it. What was spent stays known."""
    await parts.budgets.delete(BudgetName("owner", owner, period))


@router.get(
    "/budgets/keys/{key_id}/{period}",
    operation_id="getKeyBudget",
    summary="Read the budget of a key",
    responses={**NO_BUDGET, **INVALID},
)
async def read_of_key(key_id: KeyId, period: Period, parts: Parts) -> BudgetOut:
    """With what is spent and reserved of it in this day or month."""
    return budget_out(await parts.budgets.get(BudgetName("key", key_id, period)))


@router.put(
    "/budgets/keys/{key_id}/{period}", operation_id="setKeyBudget", summary="Set the budget of a key", responses=PUT
)
async def put_of_key(key_id: KeyId, period: Period, body: BudgetIn, parts: Parts, response: Response) -> BudgetOut:
    """A changed budget holds at once. A new one holds for benchmarks that begin from now on, and for those that run
    from the next day on; it counts what this day or month has spent already.
    """
    return await _put(BudgetName("key", key_id, period), body, parts, response)


@router.delete(
    "/budgets/keys/{key_id}/{period}",
    operation_id="deleteKeyBudget",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete the budget of a key",
    responses={**NO_BUDGET, **INVALID},
)
async def delete_of_key(key_id: KeyId, period: Period, parts: Parts) -> None:
    """From now on the key may spend without it. What was spent stays known."""
    await parts.budgets.delete(BudgetName("key", key_id, period))


async def _put(name: BudgetName, body: BudgetIn, parts: State, response: Response) -> BudgetOut:
    state, created = await parts.budgets.put(name, micros_of(body.cap_usd))
    if created:
        response.status_code = status.HTTP_201_CREATED
    return budget_out(state)
