"""What probes add up to, and how they are stored."""

from decimal import Decimal

from shared.observing.blocks import decode, encode
from shared.observing.probe import Probe, Probes
from shared.observing.sample import Sample


def test_probes_come_back_as_they_were() -> None:
    probes = [Probe(5, "succeeded", 12.5, Decimal("0.000001")), Probe(6, "errored", None, None)]
    samples = [Sample(1, {}), Sample(2, {"running": 1.0}, probes=tuple(probes))]
    assert [list(sample.probes) for sample in decode(encode(samples))] == [[], probes]
    assert [list(sample.probes) for sample in decode(encode(samples[:1]))] == [[]]


def test_only_those_that_were_sent_in_the_time_count() -> None:
    probes = Probes(10, 20)
    for sent_us, outcome, ttft_ms, cost in (
        (9, "succeeded", 1.0, "1"),
        (10, "succeeded", 100.0, "0.1"),
        (20, "succeeded", 300.0, "0.2"),
        (15, "timed_out", None, None),
        (16, "dropped", None, None),
        (21, "succeeded", 1.0, "1"),
    ):
        probes.add(Probe(sent_us, outcome, ttft_ms, None if cost is None else Decimal(cost)))
    found = probes.document()
    assert found is not None
    assert found["requests"] == {"succeeded": 2, "failed": 1, "dropped": 1}
    assert (found["ttft_ms"]["count"], found["ttft_ms"]["min"], found["ttft_ms"]["max"]) == (2, 100.0, 300.0)
    assert (found["cost_usd"], found["unpriced_requests"]) == ("0.3", 1)


def test_no_probe_is_no_document() -> None:
    assert Probes(0, 9).document() is None
