"""The check of the documentation's site finds what leads nowhere and what is loaded from elsewhere."""

from pathlib import Path

import pytest

from checks.site import ROOT, build, foreign
from checks.site_links import DOCS, rewritten


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("api.md", "[a](metrics.md#ttft)", "[a](metrics.md#ttft)"),
        ("api.md", "[a](#here) [b](https://example.com/x)", "[a](#here) [b](https://example.com/x)"),
        ("api.md", "[a](adr/)", "[a](adr/README.md)"),
        ("adr/README.md", "[a](../jobs/)", "[a](../jobs/index.md)"),
        ("api.md", "[a](nowhere.md)", "[a](nowhere.md)"),
    ],
)
def test_links_inside_the_site_stay(page: str, text: str, expected: str) -> None:
    assert rewritten(text, DOCS / page) == expected


@pytest.mark.parametrize(("page", "up"), [("api.md", ".."), ("adr/README.md", "../..")])
def test_links_out_of_the_site_lead_to_the_repository(page: str, up: str) -> None:
    found = rewritten(f"[a]({up}/CONTRIBUTING.md#style)", DOCS / page)
    assert found.startswith("[a](https://")
    assert found.endswith("/blob/main/CONTRIBUTING.md#style)")


def test_what_a_page_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    loads = [
        '<script src="https://cdn.example.com/a.js"></script>',
        "<img alt=x src=//cdn.example.com/b.png>",
        '<link rel="stylesheet" href="https://fonts.example.com/c.css">',
        '<link href="https://fonts.example.com" rel="preconnect">',
    ]
    (tmp_path / "loads.html").write_text("\n".join(loads))
    (tmp_path / "sheet.css").write_text("@font-face { src: url('https://fonts.example.com/d.woff2') }")
    own = (
        '<a href="https://example.com">x</a><script src="a.js"></script><link rel="canonical" href="https://x.example">'
    )
    (tmp_path / "own.html").write_text(own)
    assert [(path.name, url) for path, url in foreign(tmp_path)] == [
        ("loads.html", "https://cdn.example.com/a.js"),
        ("loads.html", "//cdn.example.com/b.png"),
        ("loads.html", "https://fonts.example.com/c.css"),
        ("loads.html", "https://fonts.example.com"),
        ("sheet.css", "https://fonts.example.com/d.woff2"),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a](nowhere.md)", "nowhere.md"),
        ("[a](other.md#nowhere)", "#nowhere"),
        ("[a](other.md#there)", None),
    ],
)
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path, text: str, named: str | None) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed: `make docs-site` does it")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Home\n\n{text}\n")
    (docs / "other.md").write_text("# Other\n\n## There\n")
    lines = (ROOT / "mkdocs.yml").read_text().partition("nav:\n")[0].splitlines(keepends=True)
    ours = "".join(line for line in lines if not line.startswith(("docs_dir", "site_dir", "hooks", "extra_css")))
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"{ours}docs_dir: {docs}\n")
    done = build(config, tmp_path / "site")
    assert (done.returncode != 0) is (named is not None), done.stderr
    assert named is None or named in done.stderr
