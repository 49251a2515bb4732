"""An id has one spelling. Any other one names nothing, and certainly no other row."""

import re
from itertools import product
from typing import Any

import httpx2
import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.ids import RowId, is_id
from tests.api.access.routes import ROUTES
from tests.api.documents import submit

OTHER_SPELLINGS = ["1_0", "+1", "01", "1.0", "1e0", " 1", "1\n", "-1", "0", "", "٣", "１", "0x1", "9223372036854775808"]
ENCODED = ["1_0", "+1", "01", "1.0", "%201", "1%0a", "%D9%A3"]


@pytest.mark.parametrize("text", OTHER_SPELLINGS)
def test_what_is_no_id_is_refused(text: str) -> None:
    assert not is_id(text)
    with pytest.raises(ValidationError):
        TypeAdapter[Any](RowId).validate_python(text)


@pytest.mark.parametrize("number", [1, 10, 2**63 - 1])
def test_digits_are_an_id(number: int) -> None:
    assert is_id(str(number))
    assert TypeAdapter[Any](RowId).validate_python(str(number)) == number


async def test_no_route_takes_another_spelling_for_an_id(sqlite_api: httpx2.AsyncClient) -> None:
    for _ in range(10):
        await submit(sqlite_api)
    # Where a page says `:int`, only digits lead to it.
    routes = [route for route in ROUTES if re.search(r"{(benchmark|dataset|webhook|delivery)_id}", route)]
    assert len(routes) > 30
    for route, text in product(routes, ENCODED):
        method, _, path = route.partition(" ")
        filled = re.sub(r"{\w+_id}", text, path).format(figure="ttft-ecdf")
        answer = await sqlite_api.request(method, filled, data={"a": "b"} if path.startswith("/ui") else None)
        assert answer.status_code == 422, (route, text, answer.text)
    for query in ("/benchmarks?rerun_of=0_1", "/compare?ids=1,0_2", "/ui/report?ids=01", "/ui/benchmarks/new?from=0_1"):
        assert (await sqlite_api.get(query)).status_code == 422, query
    assert len((await sqlite_api.get("/benchmarks")).json()["items"]) == 10
