"""The routers of the JSON API, in the order of the OpenAPI document."""

from api.routes import (
    baselines,
    benchmarks,
    charts,
    curve,
    datasets,
    estimate,
    health,
    history,
    live_events,
    models,
    observations,
    prompts,
    results,
    webhooks,
    workers,
)

ROUTERS = tuple(
    module.router
    for module in (
        benchmarks,
        live_events,
        baselines,
        estimate,
        prompts,
        results,
        charts,
        curve,
        observations,
        history,
        datasets,
        webhooks,
        models,
        workers,
        health,
    )
)
