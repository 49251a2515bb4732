"""The form for a new benchmark, under a budget."""

import httpx2

from tests.api.pages.forms_of import id_in, led_to, read, send

LEAST = {"model": "sim", "prompts": "one\ntwo", "key": "abcdefgh"}


async def test_a_budget_that_cannot_pay_is_a_mistake_of_the_form(api: httpx2.AsyncClient) -> None:
    values = {**LEAST, "model": "claude-3-haiku-20240307", "provider": "simulator"}
    for path, status in (("/ui/benchmarks/new/preview", 200), ("/ui/benchmarks", 422)):
        answer = await send(api, path, {**values, "budget_usd": "0.000001"})
        shown = read(answer.text)
        (field,) = shown.all("input", name="budget_usd")
        assert (answer.status_code, field["aria-invalid"]) == (status, "true")
        assert "Its own budget, $0.000001, cannot pay for one more request" in shown.text
    await api.put("/budgets/owners/default/day", json={"cap_usd": 0.000001})
    answer = await send(api, "/ui/benchmarks", values)
    assert (answer.status_code, "The benchmark: the budget of owner default" in read(answer.text).text) == (422, True)
    assert (await api.get("/benchmarks")).json()["items"] == []


async def test_a_model_without_a_price_is_a_mistake_beside_the_choice_to_run_it(api: httpx2.AsyncClient) -> None:
    answer = await send(api, "/ui/benchmarks", {**LEAST, "budget_usd": "1"})
    (field,) = read(answer.text).all("select", name="allow_unpriced")
    assert (answer.status_code, field["aria-invalid"]) == (422, "true")
    started = await send(api, "/ui/benchmarks", {**LEAST, "budget_usd": "1", "allow_unpriced": "yes"})
    stored = (await api.get(f"/benchmarks/{id_in(led_to(started))}")).json()
    assert (stored["budget_usd"], stored["allow_unpriced"]) == (1.0, True)
