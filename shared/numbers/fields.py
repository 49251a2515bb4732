"""The fields of a result that are no metrics but need a definition. Schemas and docs/metrics.md use them."""

from shared.numbers.metric import Definition

FIELDS = {
    field.name: field
    for field in (
        Definition(
            name="outcome",
            unit="",
            definition="`succeeded`: status 2xx, no error in the stream, and a finish reason, or an end event after "
            "some text. `errored`: an error ended it. `timed_out`: it met a deadline. `cancelled`: the worker closed "
            "its stream because of a cancel. `truncated`: the stream ended without a finish reason or an end event. "
            "`incomplete`: it was still in flight at the end of `grace_s` and was cut off. `dropped`: it could not be "
            "sent within `drop_after_s` after it was due, or before the load ended, so it was never sent. "
            "`cancelled`, `incomplete` and `dropped` are neither errors nor successes",
        ),
        Definition(name="scheduled_at", unit="UTC instant", definition="When the request was due"),
        Definition(
            name="sent_at",
            unit="UTC instant",
            definition="When the first byte of the request was written to the socket",
        ),
        Definition(
            name="ended_at",
            unit="UTC instant",
            definition="When the request was over, whatever its outcome: the end of the response, of the connection "
            "or of its time",
            null_when="an older version stored the result",
        ),
        Definition(
            name="connection_reused",
            unit="",
            definition="Whether the request went over a connection that was already open",
        ),
        Definition(
            name="token_source",
            unit="",
            definition="`usage`: the provider counted the tokens. Chunks are never counted as tokens",
            null_when="the provider reported no output tokens",
        ),
        Definition(
            name="served_model",
            unit="",
            definition="The model that the answer says it came from. If it is another one than was asked for, the "
            "result has the flag `served_model_differs`",
            null_when="the answer names no model",
        ),
        Definition(
            name="service_tier",
            unit="",
            definition="The service tier that the answer says it was served in. If it is another one than was asked "
            "for, the result has the flag `service_tier_differs`",
            null_when="the answer names no tier",
        ),
        Definition(
            name="system_fingerprint",
            unit="",
            definition="The provider's id of the configuration that served the answer",
            null_when="the answer has none",
        ),
    )
}
