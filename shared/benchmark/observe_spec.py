"""Whether a run observes the server under test, as a caller says it."""

from typing import Annotated

from pydantic import Field

Observe = Annotated[
    bool,
    Field(
        # Workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is True,
        description="Whether workers read the Prometheus endpoints of the server under test once a second during the "
        "run (`metrics_urls` of the endpoint). Without such URLs, it changes nothing.",
        examples=[True],
    ),
]
