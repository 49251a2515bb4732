"""The routers of the JSON API, in the order of the OpenAPI document."""

from api.routes import (
    baselines,
    benchmarks,
    curve,
    datasets,
    estimate,
    exports,
    health,
    imports,
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
        # Before `/benchmarks/{id}`, which `/benchmarks/export` is a path of as well.
        exports,
        imports,
        benchmarks,
        baselines,
        estimate,
        prompts,
        results,
        curve,
        observations,
        datasets,
        webhooks,
        models,
        workers,
        health,
    )
)
