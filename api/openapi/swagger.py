"""Swagger's page, whose files this program serves, because many hosts cannot reach a CDN. For `api.main`."""

from fastapi import FastAPI
from fastapi_swagger import patch_fastapi
from starlette.routing import BaseRoute, Route

TITLE = "LLM Benchmark service"
# A key that somebody gives to "Authorize" is forgotten with the page.
_PARAMETERS = {"tryItOutEnabled": True, "persistAuthorization": False, "filter": True, "displayRequestDuration": True}


def _routes() -> list[BaseRoute]:
    # The library adds its routes to an application, of which they need the title and the path of the document. FastAPI
    # remembers the functions of routes for the life of the process, and with these functions that application. So it
    # is a small one, made once, and not each that serves them.
    page = FastAPI(title=TITLE, docs_url=None, redoc_url=None, swagger_ui_oauth2_redirect_url=None)
    patch_fastapi(page, redirect_from_root_to_docs=False, swagger_ui_parameters=_PARAMETERS)
    return [route for route in page.routes if isinstance(route, Route) and route.path != page.openapi_url]


ROUTES = _routes()
