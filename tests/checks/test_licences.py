"""The licence check reads what packages say about themselves, and refuses what is not in its list."""

from email.message import Message

import pytest

from checks.licences import LOCK, names, problems


def package(**fields: str) -> Message:
    """Metadata as a wheel has it; several classifiers are separated by newlines."""
    message = Message()
    for name, value in fields.items():
        for line in value.split("\n") if name == "Classifier" else [value]:
            message.add_header(name.replace("_", "-"), line)
    return message


@pytest.mark.parametrize(
    "fields",
    [
        {"License_Expression": "MIT"},
        {"License_Expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"},
        {"Classifier": "License :: OSI Approved :: MIT License\nLicense :: OSI Approved :: BSD License"},
        {"License": "3-Clause BSD License"},
    ],
)
def test_what_may_be_passed_on_is_allowed(fields: dict[str, str]) -> None:
    assert problems(["x"], lambda _: package(**fields)) == {}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"License_Expression": "GPL-3.0-only"}, "has GPL-3.0-only"),
        ({"License_Expression": "MIT AND AGPL-3.0-or-later"}, "has AGPL-3.0-or-later"),
        ({"License_Expression": "Apache-2.0 WITH LLVM-exception"}, "has LLVM-exception"),
        ({"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}, "has GNU General"),
        (
            {"License": "Copyright 2026 somebody, all rights reserved, and further words up to the end"},
            "names no licence",
        ),
        ({}, "names no licence"),
    ],
)
def test_what_is_not_in_the_list_is_named(fields: dict[str, str], problem: str) -> None:
    assert problems(["x"], lambda _: package(**fields))["x"].startswith(problem)


def test_every_package_of_the_lock_file_is_looked_at() -> None:
    packages = names(LOCK.read_text())
    assert {"fastapi", "numpy", "sqlalchemy"} <= set(packages)
    assert set(problems(packages, lambda _: package())) == set(packages)
