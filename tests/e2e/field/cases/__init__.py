"""Every case, by the part of an answer that is unusual. The modules `reported_*` repeat public reports."""

from tests.e2e.field.case import Case
from tests.e2e.field.cases import (
    connections,
    content,
    cuts,
    ends,
    failures,
    keep_alives,
    labels,
    refusals,
    reported_errors,
    reported_streams,
    reported_usage,
    responses,
    robustness,
    served,
    speed,
    usage,
    usage_ranges,
)

CASES: tuple[Case, ...] = tuple(
    case
    for module in (
        reported_usage,
        reported_streams,
        reported_errors,
        cuts,
        speed,
        usage,
        usage_ranges,
        served,
        content,
        failures,
        ends,
        keep_alives,
        labels,
        connections,
        refusals,
        robustness,
        responses,
    )
    for case in module.CASES
)
assert len({case.name for case in CASES}) == len(CASES), "two cases have the same name"
