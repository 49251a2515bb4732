"""The routers of the JSON API, in the order of the OpenAPI document."""

from api.routes import (
    audit,
    baselines,
    benchmarks,
    budgets,
    charts,
    compare,
    curve,
    datasets,
    estimate,
    exports,
    health,
    history,
    imports,
    keys,
    live_events,
    models,
    observations,
    prompts,
    results,
    spend,
    webhooks,
    workers,
)

ROUTERS = tuple(
    module.router
    for module in (
        # Before `/benchmarks/{id}`, which `/benchmarks/export` is a path of as well.
        exports,
        imports,
        benchmarks,
        live_events,
        baselines,
        estimate,
        prompts,
        results,
        charts,
        curve,
        compare,
        observations,
        history,
        datasets,
        budgets,
        spend,
        webhooks,
        models,
        keys,
        workers,
        audit,
        health,
    )
)
