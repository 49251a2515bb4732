"""The spec of a benchmark as a document that `POST /benchmarks` takes again, without its prompts."""

from typing import Any

from api.schemas.benchmarks import BenchmarkBase
from shared.benchmark.run_spec import RunSpec


def spec_of(shown: BenchmarkBase) -> dict[str, Any]:
    """In the order of the API's own schema. What was not set is left out."""
    document = shown.model_dump(mode="json", include=set(RunSpec.model_fields), exclude_none=True)
    return {name: document[name] for name in RunSpec.model_fields if document.get(name) not in (None, {}, [])}
