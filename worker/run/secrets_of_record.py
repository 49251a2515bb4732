"""Masks the secrets of an endpoint in a record, before it is stored or shown."""

from dataclasses import replace

from shared.benchmark.results.record import ResultRecord
from shared.scrubber import Scrubber

# Texts of a record that the server chooses.
_SAID_BY_THE_SERVER = (
    "response",
    "reasoning",
    "finish_reason",
    "provider_request_id",
    "served_model",
    "service_tier",
    "system_fingerprint",
)


def mask_secrets(record: ResultRecord, scrubber: Scrubber) -> None:
    """Masks the endpoint's secrets, which a server may repeat in its answer."""
    if record.error is not None:
        code = record.error.provider_code
        record.error = replace(
            record.error,
            message=scrubber.scrub(record.error.message),
            provider_code=None if code is None else scrubber.scrub(code, 100),
        )
    for name in _SAID_BY_THE_SERVER:
        if (text := getattr(record, name)) is not None:
            setattr(record, name, scrubber.mask_known(text))
