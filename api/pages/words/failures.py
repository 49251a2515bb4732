"""What to do about a benchmark that failed, by the kind of its error."""

FILTERS = ("what_to_do",)

_ADVICE = {
    "all_requests_failed": "The errors below say why, each with an example. Mend the cause and run it again.",
    "run_timeout": "Run it again with a longer `max_duration_s` or with fewer requests.",
    "interrupted": "Its worker stopped or died, and `on_interrupt` asks for a run without a break. Run it again.",
    "engine_died": "The measuring process ended. Look into the log of the worker, then run it again.",
    "internal_error": "Look into the log of the worker, then run it again.",
}
_OTHERWISE = "Mend the cause and run it again."


def what_to_do(kind: str) -> str:
    return _ADVICE.get(kind, _OTHERWISE)
