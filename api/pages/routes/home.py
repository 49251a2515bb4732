"""`/` and `/ui` lead to the list of benchmarks."""

from fastapi import APIRouter, status
from fastapi.responses import RedirectResponse

from api.access.needs import needs
from api.http.proxy import link

router = APIRouter(include_in_schema=False, dependencies=[needs("read")])


@router.get("/")
@router.get("/ui")
@router.get("/ui/")
async def home() -> RedirectResponse:
    return RedirectResponse(link("/ui/benchmarks"), status.HTTP_303_SEE_OTHER)
