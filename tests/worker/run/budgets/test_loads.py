"""Every kind of load is paid before it is sent, and stops at its budget."""

from simulator.server import Simulator
from tests.support.databases.ledger import Ledger
from tests.support.service import Service
from tests.worker.run.budgets.requests import COST, FOUR, WORST, spent_of


async def test_a_load_of_several_stages_stops_in_the_stage_in_which_money_ends(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    cap = 2 * WORST + 15 * COST
    stages = [{"concurrency": 1, "requests": 8}, {"concurrency": 2, "requests": 50}, {"concurrency": 2, "requests": 5}]
    done = await service.run(**FOUR, prompts=["x"], load={"stages": stages}, budget_usd=cap / 1e6)
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    assert [stage["ended_by"] for stage in done["stages"]] == ["requests", "budget"]
    assert len(simulator.requests) == done["progress"]["done"] > 8
    [state] = await ledger.caps()
    assert (state.spent, state.reserved) == (len(simulator.requests) * COST, 0)
    assert state.spent <= cap


async def test_an_open_loop_stops_at_its_budget(service: Service, ledger: Ledger, simulator: Simulator) -> None:
    cap = 4 * WORST + 30 * COST
    load = {"request_rate": 50, "requests": 90, "max_concurrency": 4}
    done = await service.run(**FOUR, prompts=["x"], load=load, budget_usd=cap / 1e6)
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    [state] = await ledger.caps()
    assert state.spent == len(simulator.requests) * COST == spent_of(done)
    assert cap - WORST < state.spent <= cap
    assert (state.reserved, await ledger.reservations()) == (0, [])


async def test_a_sweep_ends_before_a_load_that_is_not_paid_in_full(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    """Half of a load would show half of its throughput, as if the server were saturated."""
    cap = 6 * WORST + 24 * COST
    sweep = {"concurrency": [1, 2, 8], "requests": 12, "warmup_s": 0}
    done = await service.run(**FOUR, prompts=["x"], load={"sweep": sweep}, budget_usd=cap / 1e6)
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    assert [stage["ended_by"] for stage in done["stages"]] == ["requests", "requests", "budget"]
    found = done["summary"]["search"]
    assert (found["values"], found["saturated_load"]) == ([1, 2], None)
    [state] = await ledger.caps()
    assert (state.spent, state.reserved) == (spent_of(done), 0)
    assert state.spent <= cap


async def test_a_search_knows_nothing_of_a_load_that_was_not_paid(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    search = {"start": 1, "max": 4, "probe_requests": 75, "warmup_s": 0, "sustain_s": 0}
    done = await service.run(
        **FOUR,
        prompts=["x"],
        load={"search": search},
        slos={"ttft_ms": 5_000},
        budget_usd=(80 * COST + 3 * WORST) / 1e6,
    )
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    probes = done["summary"]["search"]["probes"]
    assert [probe["concurrency"] for probe in probes] == [1]
    assert done["summary"]["search"]["lowest_failing"] is None
    [state] = await ledger.caps()
    assert (state.spent, state.reserved) == (spent_of(done), 0)


async def test_conversations_are_paid_as_a_whole(service: Service, ledger: Ledger, simulator: Simulator) -> None:
    talk = b'{"turns": ["a", "b", "c"]}\n'
    headers = {"content-type": "application/x-ndjson"}
    query = {"name": "x", "format": "jsonl"}
    dataset = (await service.client.post("/datasets", params=query, content=talk, headers=headers)).json()["id"]
    workload = {"source": "dataset", "dataset": {"id": dataset}}
    done = await service.run(**FOUR, workload=workload, load={"concurrency": 1, "requests": 30}, budget_usd=0.003)
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    # None was left in the middle.
    assert len(simulator.requests) % 3 == 0
    [state] = await ledger.caps()
    assert state.spent == spent_of(done) <= 3_000
    assert state.reserved == 0


async def test_probes_are_paid_and_are_in_the_ledger(service: Service, ledger: Ledger, simulator: Simulator) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    slow = {**FOUR, "model": "sim-ttft400-gap100-n4"}
    done = await service.run(**slow, prompts=["x"], load={"concurrency": 1, "requests": 2, "probe_rate": 5})
    probes = [request for request in simulator.requests if request.body["max_tokens"] == 1]
    assert len(probes) >= 3
    [row], [state] = await ledger.spend(), await ledger.caps()
    assert row.requests == len(simulator.requests)
    assert (state.spent, state.reserved) == (row.amount, 0)
    answered = done["summary"]["probes"]["requests"]["succeeded"]
    probe_cost = (row.amount - row.worst_case - 2 * COST) / max(answered, 1)
    assert 11 <= probe_cost <= 60, "each writes one token"
    assert done["summary"]["spend"]["requests"] == row.requests


async def test_a_load_waits_for_nobody_when_only_its_probes_are_not_paid(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    slow = {**FOUR, "model": "sim-ttft50-gap10-n4"}
    load = {"concurrency": 1, "requests": 6, "probe_rate": 10}
    done = await service.run(**slow, prompts=["x"], load=load, budget_usd=(2 * WORST + 6 * COST) / 1e6)
    [state] = await ledger.caps()
    assert state.spent <= state.cap
    assert state.reserved == 0
    assert done["status"] == "completed"
