"""How the body of a request is made of its item. That requests come in order is tested with the engine."""

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.places import place_at
from shared.benchmark.spec import BenchmarkSpec
from shared.protocols.openai_chat import OpenAiChat
from shared.workloads.of_spec import workload_of
from worker.engine.recorded import Recorded
from worker.engine.source import Source


def test_fields_of_one_request_replace_those_of_all() -> None:
    spec = BenchmarkSpec.model_validate(
        {
            "name": "n",
            "model": "m",
            "prompts": ["a"],
            "workload": {"output_tokens": 40, "ignore_eos": True},
        }
    )
    extra = ExtraFields({"ignore_eos": False, "min_tokens": 3, "top_k": 5})
    adapter = OpenAiChat(OpenAiChat.options())
    phase = Phase(ClosedLoop(1), first=place_at(0, 0))
    planned = Source(workload_of(spec), phase, Recorded(), adapter, extra).take()
    assert planned.body["max_tokens"] == planned.body["min_tokens"] == planned.max_tokens == 40
    assert planned.body["ignore_eos"] is True
    assert planned.body["top_k"] == 5
