"""What is refused, and what is told, before a benchmark that budgets count."""

from typing import Any

import pytest

from api.submission.estimates import Estimated
from api.submission.money_checks import OWN, budget_notes, check_money
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.worst_total import WorstTotal
from shared.db.money.caps import CapState
from shared.errors import BudgetExhausted, InvalidRequest

MONTH = CapState("owner:acme:month:2026-11", "acme", 50_000_000, spent=49_000_000, reserved=500_000)


def check(*caps: CapState, worst: WorstTotal | None = None, is_priced: bool = True, **fields: Any) -> list[str]:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m-1", "prompts": ["x"], **fields})
    return check_money(spec, caps, Estimated({}, worst or WorstTotal(1, 10, 10), is_priced))


def own(cap: int) -> CapState:
    return CapState(OWN, "default", cap)


def test_without_budgets_nothing_is_checked() -> None:
    assert check(is_priced=False) == []
    assert check(worst=WorstTotal(bounded=False)) == []


def test_a_model_without_a_price_is_refused_under_a_budget_unless_that_is_allowed() -> None:
    with pytest.raises(InvalidRequest, match="no price of m-1 is known") as refused:
        check(MONTH, is_priced=False)
    assert refused.value.errors[0].field == "allow_unpriced"
    (told,) = check(MONTH, is_priced=False, allow_unpriced=True)
    assert "count nothing" in told


def test_a_request_without_a_bound_is_refused_under_a_budget() -> None:
    with pytest.raises(InvalidRequest, match="max_tokens") as refused:
        check(own(5_000_000), worst=WorstTotal(bounded=False))
    assert refused.value.errors[0].field == "parameters.max_tokens"


def test_a_budget_that_cannot_pay_for_one_request_is_named_with_what_it_has() -> None:
    with pytest.raises(BudgetExhausted) as refused:
        check(own(5_000_000), MONTH, worst=WorstTotal(600_000, 6_000_000, 10))
    assert refused.value.message == (
        "the budget of owner acme for 2026-11, $50.00, cannot pay for one more request, which can cost $0.60: "
        "$49.00 is spent and $0.50 reserved; it begins anew at 2026-12-01T00:00:00Z"
    )
    with pytest.raises(BudgetExhausted, match=r"its own budget, \$0\.000001, cannot pay .* can cost \$0\.60$"):
        check(own(1), worst=WorstTotal(600_000, 6_000_000, 10))


def test_a_spent_budget_refuses_requests_that_are_not_known_too() -> None:
    spent = CapState("key:ab12cd34:day:2026-11-27", "acme", 10, spent=10)
    with pytest.raises(BudgetExhausted, match="the budget of key ab12cd34 for 2026-11-27"):
        check(spent, worst=WorstTotal())
    assert check(MONTH, worst=WorstTotal()) == []
    # A model that costs nothing.
    assert check(spent, worst=WorstTotal(0, 0, 10)) == []


def test_a_worst_case_above_a_budget_is_told_with_how_far_it_gets() -> None:
    estimated = Estimated({}, WorstTotal(10_000, 10_000_000, 1_000), True)
    (told,) = budget_notes([own(5_000_000), MONTH], estimated)
    assert told == (
        "It may stop at the budget of owner acme for 2026-11, which has $0.50 left, after about 50 of 1,000 requests: "
        "in the worst case, all of them cost $10.00. The less they cost, the further it gets."
    )
    assert budget_notes([own(10_000_000)], estimated) == []
    assert budget_notes([], estimated) == []
    # A replay is answered although the budget is spent by now.
    assert "$0.00 left, after about 0 of" in budget_notes([CapState(OWN, "default", 5, spent=9)], estimated)[0]
