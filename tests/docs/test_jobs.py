"""The pages of docs/jobs and what a script saw when it played them."""

import re

import pytest

from benchmarks.jobs.page import JOBS, ORDER, Block, read

TRANSCRIPT = (JOBS / "transcript.md").read_text()


@pytest.mark.parametrize("name", ORDER)
def test_the_transcript_has_each_block_of_the_page_as_it_is_now(name: str) -> None:
    page = read(name)
    assert page.blocks
    section = TRANSCRIPT.partition(f"\n## {page.title}\n")[2].partition("\n## ")[0]
    assert re.search(r"\*\*\d+\.\d s\.\*\*", section), "its time is missing: run `make jobs`"
    typed = [_typed(part) for part in re.findall(r"^```console\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)]
    assert typed == [block.text for block in page.blocks], "run `make jobs`"


def test_the_index_links_each_job_in_order() -> None:
    links = re.findall(r"^\d\. \[(.*)\]\((.*)\.md\)$", (JOBS / "index.md").read_text(), re.MULTILINE)
    assert links == [(read(name).title, name) for name in ORDER]


def test_programs_that_stay_are_told_from_commands() -> None:
    assert [Block(text).stays for text in ("llmbench up", "arq worker.main.WorkerSettings  # here")] == [True, True]
    assert not Block("llmbench update").stays
    assert not Block("llmbench run -m sim").stays


def _typed(block: str) -> str:
    first, *rest = block.splitlines()
    more = [line.removeprefix("> ") for line in rest[: next((n for n, x in enumerate(rest) if x[:2] != "> "), 0)]]
    return "\n".join([first.removeprefix("$ "), *more])
