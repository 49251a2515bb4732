"""Styles and scripts: kept for good by browsers, compressed beforehand, small, and whole."""

import gzip
import hashlib
import re

import httpx2

from api.pages.assets import FOLDER, IMMUTABLE, asset_url, assets
from tests.api.documents import problem


async def test_an_asset_is_immutable_under_its_hash(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await sqlite_api.get(asset_url("base.css"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == IMMUTABLE
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_unknown_hash_is_answered_and_not_kept(sqlite_api: httpx2.AsyncClient) -> None:
    """During an upgrade a page of the new version may ask the old one."""
    answer = await sqlite_api.get("/ui/assets/0123456789abcdef/base.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


async def test_bytes_are_compressed_for_those_who_take_them(sqlite_api: httpx2.AsyncClient) -> None:
    url, plain = asset_url("vendor/htmx.min.js"), assets()["vendor/htmx.min.js"].plain
    for accepted, compressed in (("gzip", True), ("br, gzip;q=0.5", True), ("identity", False), ("gzip;q=0", False)):
        async with sqlite_api.stream("GET", url, headers={"Accept-Encoding": accepted}) as answer:
            body = b"".join([piece async for piece in answer.aiter_raw()])
        assert answer.headers["vary"] == "Accept-Encoding"
        assert (answer.headers.get("content-encoding") == "gzip") is compressed
        assert (gzip.decompress(body) if compressed else body) == plain
        assert int(answer.headers["content-length"]) == len(body)


async def test_nothing_outside_of_the_folder_is_served(sqlite_api: httpx2.AsyncClient) -> None:
    for name in ("..%2fsite.py", "vendor/VENDOR.md", "vendor/..%2f..%2fsite.py", "vendor", ""):
        problem(await sqlite_api.get(f"/ui/assets/0/{name}"), 404)


def test_all_assets_together_are_small() -> None:
    assert sum(len(asset.plain) for asset in assets().values()) < 200_000
    assert sum(len(asset.gzipped) for asset in assets().values()) < 80_000


def test_files_of_others_are_as_they_were_published() -> None:
    listed = re.findall(r"\| `([\w.-]+)` \|.*`([0-9a-f]{64})`", (FOLDER / "vendor/VENDOR.md").read_text())
    assert sorted(name for name, _ in listed) == sorted(path.name for path in (FOLDER / "vendor").glob("*.js"))
    for name, expected in listed:
        assert hashlib.sha256((FOLDER / "vendor" / name).read_bytes()).hexdigest() == expected


def test_what_a_script_imports_is_served() -> None:
    for name, asset in assets().items():
        if name.endswith(".js") and "/" not in name:
            for imported in re.findall(r'from "\./([^"]+)"|^import "\./([^"]+)"', asset.plain.decode(), re.MULTILINE):
                assert "".join(imported) in assets(), name
