"""Problems as pages: under `/ui` an error is a page that says what to do. `api.http.errors` calls this."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.http.proxy import route_path
from api.pages.site import is_partial, page
from api.schemas.problem import Problem

_ADVICE_OF_CODE = {
    "missing_scope": "Ask an admin for a key that may do this, then log in with it.",
    "no_keys": "As soon as there is a key, open the page again and log in with it.",
    "unknown_host": "Open it by another of its names or by its IP address, or let its operator add this name.",
}
_ADVICE = {
    401: "Log in, or send an API key.",
    403: "Open the page again and repeat what you did.",
    404: "It may have been deleted. The list of benchmarks has what there is.",
    405: "Go back to the page that you came from.",
    409: "Load the page again to see its state now.",
    413: "Send less at a time.",
    422: "Correct this and try again.",
    429: "Wait a moment, then try again.",
    503: "Try again in a moment. If it stays so, see whether the database answers.",
}
_OTHERWISE = "Try again. If it happens again, look into the log of the API for this request."


def is_page(request: Request) -> bool:
    """Whether a person looks at the answer. Assets are read by programs, and so is what is asked for as JSON."""
    path = route_path(request.scope)
    if not path.startswith("/ui/") or path.startswith("/ui/assets/"):
        return False
    accepted = request.headers.get("accept", "")
    return "application/json" not in accepted or "text/html" in accepted


def problem_page(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> HTMLResponse:
    """The whole page, or for htmx a message for the place of messages."""
    advice = _ADVICE_OF_CODE.get(problem.code) or _ADVICE.get(problem.status, _OTHERWISE)
    if is_partial(request):
        to_messages = {"HX-Retarget": "#messages", "HX-Reswap": "innerHTML", **(headers or {})}
        return page(
            request, "error_part.html", status_code=problem.status, headers=to_messages, problem=problem, advice=advice
        )
    return page(request, "error.html", status_code=problem.status, headers=headers, problem=problem, advice=advice)
