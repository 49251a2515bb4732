"""Bodies of forms, for the routes that take one: `values: Form`."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request, status
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api.access.csrf import check_form
from api.http.body import INLINE_BYTES
from api.http.proxy import link
from api.pages.forms.values import MEDIA_TYPE, Values, WrongForm, parse
from api.pages.words.notices import PARAMETER, Code


async def _values(request: Request) -> Values:
    """The middleware bounds size and time. Other types of body are refused: pages of other sites can send them."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, f"send a form, as {MEDIA_TYPE}")
    body = await request.body()
    try:
        values = parse(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(parse, body)
    except WrongForm as exc:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(exc)) from None
    return check_form(request, values)


Form = Annotated[Values, Depends(_values)]


def done(path: str, notice: Code) -> RedirectResponse:
    """Leads the browser to a page that says what was done. `notice`: a code of `api.pages.words.notices`."""
    return RedirectResponse(link(f"{path}?{PARAMETER}={notice}"), status.HTTP_303_SEE_OTHER)
