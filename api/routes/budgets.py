"""`/budgets`: what keys and owners may spend. For admins."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response, status

from api.access.needs import needs
from api.http.body import JsonRoute
from api.lists.cursor import decode_cursor, encode_cursor
from api.present.money import budget_out
from api.routes.benchmarks import INVALID
from api.routes.keys import KeyId
from api.schemas.budgets import BudgetIn, BudgetOut, BudgetPage, BudgetQuery
from api.schemas.problem import Problem
from api.state import Parts
from shared.access.owner import OWNER
from shared.benchmark.budget_spec import micros_of
from shared.budgets.cap_name import BudgetName, Holder
from shared.budgets.cap_name import Period as PeriodName

router = APIRouter(tags=["money"], route_class=JsonRoute, dependencies=[needs("admin")])

Owner = Annotated[str, Path(pattern=f"^{OWNER}$", description="Name of the owner.", examples=["acme"])]
Period = Annotated[PeriodName, Path(description="For each `day` or each `month`, in UTC.", examples=["month"])]

NO_BUDGET: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such budget."}}
SET: dict[int | str, dict[str, Any]] = {
    201: {"model": BudgetOut, "description": "The budget is new."},
    404: {"model": Problem, "description": "There is no such owner or key."},
    **INVALID,
}

_A: dict[Holder, str] = {"owner": "an owner", "key": "a key"}


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


async def _of_owner(owner: Owner, period: Period) -> BudgetName:
    return BudgetName("owner", owner, period)


async def _of_key(key_id: KeyId, period: Period) -> BudgetName:
    return BudgetName("key", key_id, period)


def _add_routes(path: str, holder: Holder, named: Callable[..., Awaitable[BudgetName]]) -> None:
    """Reading, setting and deleting the budget of a holder. `named`: the dependency that reads `path`."""

    @router.get(
        path,
        operation_id=f"get{holder.title()}Budget",
        summary=f"Read the budget of {_A[holder]}",
        responses={**NO_BUDGET, **INVALID},
    )
    async def read(name: Annotated[BudgetName, Depends(named)], parts: Parts) -> BudgetOut:
        """With what is spent and reserved of it in this day or month."""
        return budget_out(await parts.budgets.get(name))

    @router.put(
        path, operation_id=f"set{holder.title()}Budget", summary=f"Set the budget of {_A[holder]}", responses=SET
    )
    async def put(
        name: Annotated[BudgetName, Depends(named)], body: BudgetIn, parts: Parts, response: Response
    ) -> BudgetOut:
        """A changed budget holds at once. A new one holds for benchmarks that begin from now on, and for those that run
        under another budget; it counts what this day or month has spent already, and all that is spent from now on.
        """
        state, created = await parts.budgets.put(name, micros_of(body.cap_usd))
        if created:
            response.status_code = status.HTTP_201_CREATED
        return budget_out(state)

    @router.delete(
        path,
        operation_id=f"delete{holder.title()}Budget",
        status_code=status.HTTP_204_NO_CONTENT,
        summary=f"Delete the budget of {_A[holder]}",
        description=f"From now on the {holder} may spend without it. What was spent stays known.",
        responses={**NO_BUDGET, **INVALID},
    )
    async def delete(name: Annotated[BudgetName, Depends(named)], parts: Parts) -> None:
        await parts.budgets.delete(name)


_add_routes("/budgets/owners/{owner}/{period}", "owner", _of_owner)
_add_routes("/budgets/keys/{key_id}/{period}", "key", _of_key)
