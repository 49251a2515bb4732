"""Styles and scripts of the pages: read, hashed and compressed once. Browsers keep them for good.

The hash in their URLs is that of all files together, so that one may load another by a relative URL.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.access.needs import open_to_all
from api.http.proxy import link

router = APIRouter(include_in_schema=False, dependencies=[open_to_all()])

FOLDER = Path(__file__).with_name("static")
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    plain: bytes
    gzipped: bytes


@cache
def assets() -> dict[str, Asset]:
    """All files by name, such as `vendor/htmx.min.js`."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type is not None:
            plain = path.read_bytes()
            name = path.relative_to(FOLDER).as_posix()
            found[name] = Asset(media_type, plain, gzip.compress(plain, 9, mtime=0))
    return found


@cache
def assets_hash() -> str:
    """Changes when any file changes."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(f"{name}\0{len(asset.plain)}\0".encode())
        digest.update(asset.plain)
    return digest.hexdigest()[:16]


def asset_url(name: str) -> str:
    """Where the client of this request finds the file. Raises KeyError if there is none of this name."""
    assets()[name]
    return link(f"/ui/assets/{assets_hash()}/{name}")


@router.get("/ui/assets/{digest}/{name:path}")
async def read_asset(digest: str, name: str, request: Request) -> Response:
    """An unknown hash is that of another version of the API: during an upgrade both answer."""
    asset = assets().get(name)
    if asset is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": IMMUTABLE if digest == assets_hash() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = asset.plain
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        body = asset.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for item in accepted.split(","):
        coding, _, parameters = item.partition(";")
        if coding.strip().lower() == "gzip":
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
