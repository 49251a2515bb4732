"""Why nobody can run a benchmark, in words."""

from typing import Any

import pytest

from shared.providers.endpoints import Endpoint
from shared.providers.identity import EndpointIdentity, HeldEndpoint, Identities
from shared.providers.unclaimed import LivingWorker, Needed, why_nobody


def identity(port: int = 9001, *, name: str = "mine", stack: str | None = None, **changes: Any) -> EndpointIdentity:
    url = f"http://127.0.0.1:{port}/v1"
    endpoint = Endpoint.model_validate({"name": name, "protocol": "openai", "base_url": url, **changes})
    return Identities(stack=stack).of(endpoint)


def needed(of: EndpointIdentity) -> Needed:
    return Needed(of.name, of.key, of.document())


def worker(number: int, *held: HeldEndpoint) -> LivingWorker:
    return LivingWorker(f"w{number}", [item.document() for item in held])


def lacking(of: EndpointIdentity) -> HeldEndpoint:
    return HeldEndpoint(of, "missing_key", ["K is not set, nor K_FILE"])


def test_one_worker_that_can_is_enough() -> None:
    workers = [worker(1), worker(2, lacking(identity())), worker(3, HeldEndpoint(identity()))]
    assert why_nobody(needed(identity()), workers) is None


def test_an_older_worker_claims_anything() -> None:
    assert why_nobody(needed(identity()), [LivingWorker("old", None)]) is None


def test_a_missing_key_is_named() -> None:
    assert why_nobody(needed(identity()), [worker(1), worker(2, lacking(identity()))]) == {
        "kind": "missing_key",
        "message": "it needs endpoint 'mine' (openai at http://127.0.0.1:9001/v1); worker w1 has no endpoint of this "
        "name; worker w2 cannot use it: K is not set, nor K_FILE",
    }


def test_another_server_of_the_same_name_is_named() -> None:
    reason = why_nobody(needed(identity()), [worker(1, HeldEndpoint(identity(9002)))])
    assert reason is not None
    assert reason["kind"] == "no_worker"
    assert "worker w1 has another one of this name (openai at http://127.0.0.1:9002/v1)" in reason["message"]


def test_another_configuration_of_the_same_server_is_named() -> None:
    other = identity(query={"api-version": "1"})
    reason = why_nobody(needed(identity()), [worker(1, HeldEndpoint(other))])
    assert reason is not None
    assert "worker w1 has it with another configuration" in reason["message"]


def test_a_stack_of_its_own_is_named() -> None:
    reason = why_nobody(needed(identity(stack="s1")), [worker(1, HeldEndpoint(identity()))])
    assert reason is not None
    assert "of the `llmbench run` that submitted it" in reason["message"]
    assert "worker w1 belongs to another stack" in reason["message"]


def test_a_benchmark_without_an_identity_goes_by_name() -> None:
    old = Needed("mine", None)
    assert why_nobody(old, [worker(1, HeldEndpoint(identity(9002)))]) is None
    reason = why_nobody(old, [worker(1, lacking(identity()))])
    assert reason is not None
    assert reason["message"] == "it needs endpoint 'mine'; worker w1 cannot use it: K is not set, nor K_FILE"


def test_many_workers_are_counted_and_not_listed() -> None:
    same = [worker(number) for number in range(50)]
    each = [worker(100 + number, HeldEndpoint(identity(8000 + number))) for number in range(20)]
    reason = why_nobody(needed(identity()), [*same, *each])
    assert reason is not None
    assert "each of 50 workers has no endpoint of this name" in reason["message"]
    assert reason["message"].endswith("; 18 more cannot either")
    assert len(reason["message"]) < 500


def test_a_load_needs_a_worker_that_knows_loads() -> None:
    """A worker of the version before would ignore the load and measure something else."""
    of = identity()
    document = HeldEndpoint(of).document()
    old = LivingWorker("w1", [{name: value for name, value in document.items() if name != "loads"}])
    wanted = Needed(of.name, of.key_for(loads=True, owned=False), of.document())
    reason = why_nobody(wanted, [old])
    assert reason is not None
    assert "worker w1 is of a version that does not know load, workload and slos" in reason["message"]
    assert why_nobody(needed(of), [old]) is None
    assert why_nobody(wanted, [old, worker(2, HeldEndpoint(of))]) is None


@pytest.mark.parametrize("loads", [False, True])
def test_a_benchmark_of_another_owner_needs_a_worker_that_knows_owners(loads: bool) -> None:
    """A worker of the version before would tell the webhooks of all owners."""
    of = identity()
    document = HeldEndpoint(of).document()
    old = LivingWorker("w1", [{name: value for name, value in document.items() if name != "owned"}])
    wanted = Needed(of.name, of.key_for(loads=loads, owned=True), of.document())
    reason = why_nobody(wanted, [old])
    assert reason is not None
    assert "worker w1 is of a version that does not know owners, budgets and exclusive runs" in reason["message"]
    assert why_nobody(Needed(of.name, of.key_for(loads=loads, owned=False), of.document()), [old]) is None
    assert why_nobody(wanted, [old, worker(2, HeldEndpoint(of))]) is None
