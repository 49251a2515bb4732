"""`llmbench audit`: which entries are asked for, and how they are shown."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from api.schemas.audit import AuditEntryOut
from cli.render.audit import audit_lines
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


def entry(number: int, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": number,
        "at": "2026-11-27T08:00:00Z",
        "owner": "acme",
        "action": "benchmark.deleted",
        "kind": "benchmark",
        "target": "7",
        "via": "key",
        "key_id": "ab12cd34",
        "request_id": None,
        "details": {"model": "sim", "planned_requests": 12},
        **changes,
    }
    AuditEntryOut.model_validate(document)
    return document


def test_entries_are_a_table(api: FakeApi, llmbench: Llmbench) -> None:
    changed = {"action": "webhook.changed", "kind": "webhook", "target": "3", "via": "local", "key_id": None}
    found = [entry(2), entry(1, **changed, details={"changed": ["enabled", "url"]})]
    api.answers["GET /audit"] = (200, {"items": found, "next_cursor": None})
    done = llmbench("audit")
    assert (done.exit_code, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()[-2:]
    cells = [cell.strip() for cell in first.split("  ") if cell.strip()]
    assert cells[1:] == ["benchmark.deleted", "benchmark 7", "key ab12cd34", "acme", "model sim, planned_requests 12"]
    assert "local" in second
    assert "changed enabled url" in second
    assert json.loads(llmbench("audit", "--json").stdout) == found


def test_filters_are_sent(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /audit"] = (200, {"items": [], "next_cursor": None})
    options = ("--action", "key.revoked", "--kind", "key", "--target", "ab12cd34", "--key", "ef56gh78")
    done = llmbench("audit", *options, "--from", "2026-11-01", "--to", "2026-12-01", "--owner", "*", "--limit", "5")
    assert done.stderr == "no entries\n"
    assert parse_qs(urlsplit(api.requests[-1][1]).query) == {
        "action": ["key.revoked"],
        "kind": ["key"],
        "target": ["ab12cd34"],
        "key_id": ["ef56gh78"],
        "from": ["2026-11-01"],
        "to": ["2026-12-01"],
        "owner": ["*"],
        "limit": ["5"],
    }
    assert "no entries of your owner: `--owner '*'` lists those of all" in llmbench("audit").stderr


def test_a_page_that_is_not_the_last_says_so(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /audit"] = (200, {"items": [entry(1)], "next_cursor": "x"})
    assert "the newest 1; --limit lists more" in llmbench("audit", "--limit", "1").stderr


def test_a_narrow_terminal_drops_details_first() -> None:
    text = "\n".join(line.text for line in audit_lines([entry(1)], 70))
    assert "benchmark.deleted" in text
    assert "model sim" not in text
