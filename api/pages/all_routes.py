"""The routers of all pages. `api.main` includes them; each page adds its own here."""

from fastapi import APIRouter

from api.pages import assets
from api.pages.routes import (
    account,
    actions,
    audit,
    benchmark,
    benchmark_request,
    benchmarks,
    compare,
    curve,
    form_choices,
    history,
    home,
    keys,
    leaderboard,
    live,
    login,
    new,
    report,
    spend,
    webhooks,
    workers,
)

# In this order: `/ui/benchmarks/live` and `/ui/benchmarks/new` come before `/ui/benchmarks/{benchmark_id}`.
ROUTERS: list[APIRouter] = [
    home.router,
    login.router,
    account.router,
    keys.router,
    audit.router,
    # Before the page of one benchmark, whose path would take `new` for an id.
    form_choices.router,
    new.router,
    actions.router,
    webhooks.router,
    workers.router,
    compare.router,
    curve.router,
    assets.router,
    benchmarks.router,
    benchmark.router,
    benchmark_request.router,
    report.router,
    live.router,
    history.router,
    leaderboard.router,
    spend.router,
]
