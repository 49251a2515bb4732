"""The fields of the form for a new benchmark: what people read beside each, and which field of the API it sets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.benchmark.slo.slo_presets import PRESETS

Kind = Literal["text", "area", "integer", "number", "choice", "flag"]


@dataclass(frozen=True, slots=True)
class FormField:
    """`path`: the field of `POST /benchmarks`, from which `hint` and bounds are explained in the API's documents."""

    name: str
    path: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    unit: str = ""
    placeholder: str = ""
    # (value, what people read) of a choice.
    choices: Sequence[tuple[str, str]] = ()


# Chosen by a radio button; the rest of the form follows from it.
LOADS = (
    ("closed", "Constant concurrency", "When one request ends, the next is sent."),
    ("open", "Request rate", "Requests are due on a schedule, however long answers take."),
    ("sweep", "Sweep", "Several loads one after another: the load curve."),
    ("search", "Search", "Looks for the highest concurrency that meets the SLOs."),
    ("json", "As in the JSON box", "Stages, ramps, bursts: the field load."),
)
SOURCES = (
    ("prompts", "My prompts", "Pasted or read from a file."),
    ("generated", "Generated text", "Of a given length, another one in each request."),
    ("builtin", "Built in", "About 200 prompts of several kinds."),
    ("dataset", "Dataset", "The rows of an uploaded file."),
    ("json", "As in the JSON box", "Traces and all else: the field workload."),
)

_FIELDS = (
    FormField(
        "model",
        "model",
        "Model",
        placeholder="claude-3-haiku-20240307",
        hint="As the provider calls it. Type to search.",
    ),
    FormField("provider", "provider", "Provider", "choice"),
    FormField("name", "name", "Name", hint="For people. Left empty: made from the model and the load."),
    FormField("source", "workload.source", "What is sent", "choice", choices=[item[:2] for item in SOURCES]),
    FormField("prompts", "prompts", "Prompts", "area"),
    FormField(
        "prompts_format",
        "prompts",
        "The text holds",
        "choice",
        choices=[
            ("lines", "one prompt a line"),
            ("blocks", "blocks between lines of ---"),
            ("json", "JSON: an array, or JSON lines"),
        ],
    ),
    FormField("input_tokens", "workload.input_tokens", "Input length", "integer", unit="tokens", placeholder="512"),
    FormField(
        "output_tokens",
        "workload.output_tokens",
        "Output length",
        "integer",
        unit="tokens",
        hint="At most. Left empty: the output limit below.",
    ),
    FormField("dataset", "workload.dataset.id", "Dataset", "choice"),
    FormField(
        "order",
        "workload.order",
        "Order",
        "choice",
        choices=[("in_turn", "in turn"), ("shuffled", "shuffled, each round anew")],
    ),
    FormField(
        "cache",
        "workload.cache",
        "Prompt caches",
        "choice",
        choices=[("none", "leave them alone"), ("bust", "never hit one: each request begins differently")],
    ),
    FormField(
        "seed",
        "workload.seed",
        "Seed of the texts",
        "integer",
        hint="The same seed gives the same requests. Left empty: 0, or drawn anew if caches must not be hit.",
    ),
    FormField("system", "system", "System text", "area"),
    FormField(
        "repetitions",
        "repetitions",
        "Times each",
        "integer",
        placeholder="1",
        hint="How often each prompt is sent; of generated and built-in texts, how many requests.",
    ),
    FormField(
        "concurrency",
        "concurrency",
        "Requests in flight",
        "integer",
        placeholder="8",
        hint="At the same time. Left empty: up to 8.",
    ),
    FormField("request_rate", "request_rate", "Requests per second", "number", placeholder="5"),
    FormField(
        "arrival",
        "arrival",
        "Arrivals",
        "choice",
        choices=[("constant", "evenly spaced"), ("poisson", "at random, as independent users (Poisson)")],
    ),
    FormField(
        "max_concurrency",
        "load.max_concurrency",
        "At most in flight",
        "integer",
        hint="Left empty: the requests of 10 s.",
    ),
    FormField("requests", "load.requests", "Ends after", "integer", unit="requests"),
    FormField(
        "duration_s",
        "load.duration_s",
        "Ends after",
        "number",
        unit="s",
        hint="Left empty: when each prompt was sent as often as asked.",
    ),
    FormField(
        "warmup",
        "warmup",
        "Warm-up",
        "integer",
        unit="requests",
        placeholder="0",
        hint="Sent first, paid, and left out of the statistics.",
    ),
    FormField(
        "sweep_over",
        "load.sweep",
        "Vary",
        "choice",
        choices=[("concurrency", "requests in flight"), ("request_rate", "requests per second")],
    ),
    FormField("sweep_from", "load.sweep.concurrency.from", "From", "number", placeholder="1"),
    FormField(
        "sweep_to", "load.sweep.concurrency.to", "To", "number", hint="Left empty: until more load brings no more."
    ),
    FormField("sweep_factor", "load.sweep.concurrency.factor", "Times", "number", placeholder="2", hint="Each step."),
    FormField("sweep_duration_s", "load.sweep.duration_s", "Each step lasts", "number", unit="s", placeholder="30"),
    FormField("search_min", "load.search.min", "Lowest concurrency", "integer", placeholder="1"),
    FormField("search_max", "load.search.max", "Highest concurrency", "integer", placeholder="1024"),
    FormField("search_probe_s", "load.search.probe_s", "Each probe lasts", "number", unit="s"),
    FormField("search_sustain_s", "load.search.sustain_s", "Answer held for", "number", unit="s", placeholder="60"),
    FormField(
        "max_tokens",
        "parameters.max_tokens",
        "Output limit",
        "integer",
        unit="tokens",
        placeholder="1024",
        hint="Of each request: max_tokens.",
    ),
    FormField("temperature", "parameters.temperature", "Temperature", "number", hint="Left empty: the provider's own."),
    FormField("top_p", "parameters.top_p", "Top p", "number"),
    FormField(
        "slo_preset",
        "slos.preset",
        "SLO preset",
        "choice",
        choices=[("", "none")] + [(name, name.replace("_", " ")) for name in PRESETS],
        hint="Fills in the bounds that are left empty.",
    ),
    FormField("slo_ttft_ms", "slos.ttft_ms", "TTFT at most", "number", unit="ms"),
    FormField("slo_tpot_ms", "slos.tpot_ms", "Time per token at most", "number", unit="ms"),
    FormField("slo_latency_ms", "slos.latency_ms", "Latency at most", "number", unit="ms"),
    FormField(
        "slo_attainment", "slos.attainment", "Share that must meet them", "number", placeholder="0.95", hint="0 to 1."
    ),
    FormField("connect_s", "timeouts.connect_s", "Connection", "number", unit="s", placeholder="10"),
    FormField("ttft_s", "timeouts.ttft_s", "First token", "number", unit="s", placeholder="120"),
    FormField("idle_s", "timeouts.idle_s", "Between events", "number", unit="s", placeholder="60"),
    FormField("total_s", "timeouts.total_s", "Whole request", "number", unit="s", placeholder="600"),
    FormField(
        "max_duration_s",
        "max_duration_s",
        "Whole benchmark",
        "number",
        unit="s",
        hint="Fails after it. Empty: no limit.",
    ),
    FormField(
        "beside_others",
        "exclusive",
        "Beside others",
        "choice",
        choices=[
            ("", "as the endpoint's ceiling allows"),
            ("exclusive", "alone: nothing else on its worker and endpoint"),
            ("share", "share the endpoint: do not count"),
        ],
    ),
    FormField(
        "budget_usd",
        "budget_usd",
        "Budget",
        "number",
        unit="USD",
        placeholder="2.50",
        hint="It stops before its requests can cost more. Empty: no budget of its own.",
    ),
    FormField(
        "allow_unpriced",
        "allow_unpriced",
        "Model without a price",
        "choice",
        choices=[("", "refuse it under a budget"), ("yes", "run it; it counts nothing")],
    ),
    FormField(
        "metadata", "metadata", "Metadata", "area", placeholder="team=search", hint="key=value on each line, or JSON."
    ),
    FormField(
        "webhook_url",
        "webhook_url",
        "Webhook",
        placeholder="https://hooks.example.com/bench",
        hint="Gets the events of this benchmark. The secret to check them with is shown once, after the start.",
    ),
    FormField(
        "advanced",
        "body",
        "Further fields, as JSON",
        "area",
        placeholder='{"extra_body": {"ignore_eos": true}}',
        hint="Fields of the API's request for which there is no place above. They win over the fields above.",
    ),
)

FIELDS: Mapping[str, FormField] = {field.name: field for field in _FIELDS}

# Parts of the form that are closed at first, with their fields.
SECTIONS: Mapping[str, Sequence[str]] = {
    "texts": ("system", "order", "cache", "seed"),
    "parameters": ("max_tokens", "temperature", "top_p"),
    "ends": ("warmup", "duration_s", "requests", "max_duration_s"),
    "beside": ("beside_others",),
    "budget": ("budget_usd", "allow_unpriced"),
    "slos": ("slo_preset", "slo_ttft_ms", "slo_tpot_ms", "slo_latency_ms", "slo_attainment"),
    "timeouts": ("connect_s", "ttft_s", "idle_s", "total_s"),
    "about": ("metadata", "webhook_url"),
    "json": ("advanced",),
}


def opened(filled: Mapping[str, str], wrong: Collection[str | None]) -> set[str]:
    """The sections that are open: those with something typed or chosen, or with a mistake."""
    found = set()
    for section, names in SECTIONS.items():
        for name in names:
            choices = FIELDS[name].choices
            value = filled.get(name, "")
            if name in wrong or value not in ("", choices[0][0] if choices else ""):
                found.add(section)
    return found
