"""Headers that tell browsers what they may do with an answer. Used by `api.http.guard` and `api.http.errors`."""

DOCS = ("/docs",)

_COMMON = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_CSP = "default-src 'none'; frame-ancestors 'none'"
# Swagger's page has its start in the page itself, styles in its elements, and icons in its style sheet.
_DOCS_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Nothing inline: neither scripts nor styles.
_PAGES_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# With `no-referrer`, browsers send `Origin: null` with the pages' own forms.
_PAGES = {"referrer-policy": "same-origin", "content-security-policy": _PAGES_CSP}


def security_headers(path: str) -> dict[str, str]:
    """For the answers at this path, without the prefix. `api.http.guard` keeps those that an answer has already."""
    if path.startswith("/ui/"):
        return _COMMON | _PAGES
    return {**_COMMON, "content-security-policy": _DOCS_CSP if path in DOCS else _CSP}
