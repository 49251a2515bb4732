"""Corrects what is wrong in FastAPI's OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from api.errors import MEDIA_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
# Made once for all apps of a process: they have the same routes, and it takes a quarter of a second.
_made: list[dict[str, Any]] = []


def give_problems_their_media_type(app: FastAPI) -> None:
    """Documents problems as `application/problem+json`. FastAPI uses the route's media type for every model."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if _made:
            app.openapi_schema = _made[0]
            return _made[0]
        document = plain()
        for operations in document["paths"].values():
            for operation in operations.values():
                for response in operation["responses"].values():
                    content = response.get("content", {})
                    if content.get("application/json", {}).get("schema") == PROBLEM:
                        content[MEDIA_TYPE] = content.pop("application/json")
        _made.append(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
