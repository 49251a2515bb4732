"""What a worker tells Prometheus, after real work."""

from prometheus_client import generate_latest

from tests.support.prometheus import samples, value
from tests.support.service import Service
from worker.monitoring import WorkerMonitor


async def test_a_worker_counts_requests_errors_and_first_tokens_by_model(service: Service) -> None:
    model = "sim-ttft60-gap1-n4-err500-every2"
    done = await service.run(model=model, prompts=["x"] * 4)
    assert done["status"] == "completed"
    monitor: WorkerMonitor = service.monitor
    found = samples(generate_latest(monitor.registry).decode())
    labels = {"provider": "simulator", "model": model}
    assert value(found, "llmbench_provider_requests_total", outcome="succeeded", **labels) == 2
    assert value(found, "llmbench_provider_requests_total", outcome="errored", **labels) == 2
    assert value(found, "llmbench_provider_errors_total", kind="server_error", **labels) == 2
    assert value(found, "llmbench_provider_ttft_seconds_count", **labels) == 2
    assert value(found, "llmbench_provider_ttft_seconds_bucket", le="0.05", **labels) == 0
    assert value(found, "llmbench_benchmarks_ended_total", status="completed") == 1
    assert value(found, "llmbench_runs") == 0
    assert value(found, "process_resident_memory_bytes") > 10_000_000
    assert value(found, "llmbench_streams_in_flight") == 0
