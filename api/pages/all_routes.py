"""The routers of all pages. `api.main` includes them; each page adds its own here."""

from fastapi import APIRouter

from api.pages import assets
from api.pages.routes import (
    actions,
    benchmarks,
    history,
    home,
    leaderboard,
    live,
)

# In this order: `/ui/benchmarks/live` and `/ui/benchmarks/new` come before `/ui/benchmarks/{benchmark_id}`.
ROUTERS: list[APIRouter] = [
    home.router,
    actions.router,
    assets.router,
    benchmarks.router,
    live.router,
    history.router,
    leaderboard.router,
]
