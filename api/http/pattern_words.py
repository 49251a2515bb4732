"""What a text must look like, in words: no caller should have to read a regular expression. For `api.http.errors`."""

from api.access.owner_choice import OWNER_FILTER
from api.schemas.curve import SLO_PATTERN
from shared.access.owner import MAX_OWNER_CHARS, OWNER
from shared.benchmark.baseline_name import NAME_PATTERN

_OWNER = (
    f"must begin with a small letter or a digit, and have only those, - and _, at most {MAX_OWNER_CHARS} altogether"
)
_KEY_ID = "must be the eight characters between lbk_ and the next _"

# By the pattern. A test looks for those of the OpenAPI document.
PATTERN_WORDS = {
    f"^{OWNER}$": _OWNER,
    OWNER_FILTER: f"{_OWNER}; * is all owners",
    "^[0-9a-z]{8}$": _KEY_ID,
    "^[0-9A-Za-z]{8}$": _KEY_ID,
    "^[0-9a-f]{64}$": "must be 64 digits from 0 to 9 and a to f",
    NAME_PATTERN: "must begin with a small letter or a digit, have only those, . _ and -, and not be digits alone",
    r"^[\x21-\x7e]+$": "must have only visible ASCII characters, and no spaces",
    "^[A-Za-z0-9_.:-]{1,64}$": "must be 1 to 64 letters, digits, _ . : or -",
    r"^(cl100k|o200k|harmony|qwen3\.5|[A-Za-z0-9_./-]{1,200}\.json)$": (
        "must be cl100k, o200k, harmony, qwen3.5 or the name of a .json file"
    ),
    SLO_PATTERN: "must be METRIC:PERCENTILE:MOST_MS, such as ttft_ms:p95:500",
}
