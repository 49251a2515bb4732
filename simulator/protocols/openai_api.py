"""What the endpoints of OpenAI's API have in common: headers and errors. Their wire formats derive from it."""

from typing import Any, ClassVar

import orjson

from simulator.protocols.call import Problem, Refused, count_or_none
from simulator.protocols.wire_format import WireFormat

_OVERLOADED = "The server is currently overloaded with other requests. Sorry about that! Please retry shortly."


class OpenAiApi(WireFormat):
    """An endpoint of OpenAI's API."""

    # The field that holds the conversation.
    messages_field: ClassVar[str]

    def response_headers(self, number: int) -> dict[str, str]:
        return {"x-request-id": f"req_{number:08d}", "openai-version": "2020-10-01"}

    def problem(self, status: int, model: str, reason: str | None = None) -> Problem:
        if status == 400:
            where = f"{self.messages_field}[0].content"
            return Problem(400, f"Invalid value for '{where}'.", param=where, code="invalid_value")
        if status == 401:
            return Problem(401, "Incorrect API key provided.", code="invalid_api_key")
        if status == 404:
            text = f"The model `{model}` does not exist or you do not have access to it."
            return Problem(404, f"{text} ({reason})" if reason else text, code="model_not_found")
        if status == 429:
            text = f"Rate limit reached for {model[:200]} on requests per min (RPM): Limit 3, Used 3, Requested 1."
            return Problem(429, text, kind="requests", code="rate_limit_exceeded")
        if status in (503, 529):
            return Problem(status, _OVERLOADED, kind="server_error", code="server_overloaded")
        return Problem(
            status, "The server had an error while processing your request. Sorry about that!", "server_error"
        )

    def error_body(self, problem: Problem, number: int) -> bytes:
        return orjson.dumps(error_object(problem))

    def no_such_path(self, method: str, path: str) -> Problem:
        return Problem(404, f"Invalid URL ({method} {path})")

    def no_such_method(self, method: str, path: str) -> Problem:
        return Problem(405, f"Not allowed to {method} on {path}.")


def error_object(problem: Problem) -> dict[str, Any]:
    kind = problem.kind or "invalid_request_error"
    return {"error": {"message": problem.message, "type": kind, "param": problem.param, "code": problem.code}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(Problem(400, message, param=param, code=code))


def model_and_messages(body: Any, field: str) -> tuple[str, Any]:
    """The model and the conversation of a request, which may be of any type. Raises Refused."""
    if not isinstance(body, dict):
        raise invalid("We could not parse the JSON body of your request. The body must be a JSON object.")
    model, messages = body.get("model"), body.get(field)
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter")
    if messages is None:
        raise invalid(f"Missing required parameter: '{field}'.", field, "missing_required_parameter")
    return model, messages


def check_messages(messages: Any, field: str) -> None:
    """Raises Refused unless it is a list of messages with roles."""
    if not isinstance(messages, list):
        raise invalid(f"Invalid type for '{field}': expected an array of objects.", field, "invalid_type")
    if not messages:
        expected = "Expected an array with minimum length 1, but got an empty array instead."
        raise invalid(f"Invalid '{field}': empty array. {expected}", field, "empty_array")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            where = f"{field}[{index}].role"
            raise invalid(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")


def wants_stream(body: dict[str, Any]) -> bool:
    """Raises Refused."""
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise invalid("Invalid type for 'stream': expected a boolean.", "stream", "invalid_type")
    return stream


def limit(body: dict[str, Any], field: str, least: int) -> int | None:
    """The output limit in this field. Raises Refused."""
    if body.get(field) is None:
        return None
    value = count_or_none(body[field])
    if value is None:
        raise invalid(f"Invalid type for '{field}': expected an integer.", field, "invalid_type")
    if value < least:
        text = f"Invalid '{field}': integer below minimum value. Expected a value >= {least}, but got {value} instead."
        raise invalid(text, field, "integer_below_min_value")
    return value
