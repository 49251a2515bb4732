"""The routers of all pages. `api.main` includes them; each page adds its own here."""

from fastapi import APIRouter

from api.pages import assets
from api.pages.routes import home

ROUTERS: list[APIRouter] = [
    home.router,
    assets.router,
]
