"""Whether the model that an answer names is the one that was asked for, by the names alone. Used when costs are set.

Providers add a date (`gpt-5-2025-08-07`), leave out a path (`openai/gpt-4o`), or resolve an alias (`-latest`). A router
marks another offer of a model with a tag (`:free`).
"""

import re
from dataclasses import dataclass

# Versions at the end of a name: dates in the ways of all providers, numbered releases, `latest`, Bedrock's `v1:0`.
_VERSION = re.compile(
    r"[-@:](?P<version>\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}|\d{4}|\d{3}|latest|v\d+(?::\d+)?)$"
)
_TAG = re.compile(r":(?P<tag>[^:/]+)$")
# `us.anthropic.` in Bedrock's ids.
_VENDOR = re.compile(r"^(?:[a-z]+(?:-[a-z]+)*\.){1,2}(?=[a-z])")
_SEPARATORS = re.compile(r"[-_. ]+")
# A name with one of these may be the release that an alias stands for.
_PRELIMINARY = {"preview", "exp", "experimental", "beta"}
_FILE = re.compile(r"^[./~]|\\|\.(?:gguf|bin|safetensors)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelName:
    """The parts of a model's name. `words` are sorted, because providers order them differently."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    dates: frozenset[str]
    tag: str | None
    latest: bool

    @classmethod
    def of(cls, text: str) -> "ModelName":
        name = text.strip().lower().rsplit("/", 1)[-1]
        versions: list[str] = []
        tag = None
        while True:
            if found := _VERSION.search(name):
                versions.append(found["version"])
            elif tag is None and (found := _TAG.search(name)):
                tag = found["tag"]
            else:
                break
            name = name[: found.start()]
        tokens = [token for token in _SEPARATORS.split(_VENDOR.sub("", name)) if token]
        numbers = [token for token in tokens if token.isdigit()]
        # Version 4.0 is version 4.
        while numbers and numbers[-1] == "0":
            numbers.pop()
        return cls(
            words=tuple(sorted(token for token in tokens if not token.isdigit())),
            numbers=tuple(numbers),
            dates=frozenset(item.replace("-", "") for item in versions if item[0].isdigit()),
            tag=tag,
            latest="latest" in versions,
        )


def is_same_name(asked: str, served: str) -> bool:
    """Whether both name one model. A date or a path in one of them alone makes no difference; a tag may be left out.

    Two different dates name two releases.
    """
    if asked == served:
        return True
    ours, theirs = ModelName.of(asked), ModelName.of(served)
    if theirs.tag is not None and theirs.tag != ours.tag:
        return False
    if ours.latest and not ours.numbers:
        return ours.words == tuple(word for word in theirs.words if word not in _PRELIMINARY)
    if ours.dates and theirs.dates and ours.dates.isdisjoint(theirs.dates):
        return False
    return (ours.words, ours.numbers) == (theirs.words, theirs.numbers)


def is_more_exact(asked: str, served: str) -> bool:
    """Whether the answer names the release (`gpt-4o-2024-05-13`) of a name that leaves it open (`gpt-4o`)."""
    ours, theirs = ModelName.of(asked), ModelName.of(served)
    return ours.tag is None and not ours.dates and (bool(theirs.dates) or ours.latest)


def is_of_same_family(asked: str, served: str) -> bool:
    """Whether the answer names a model that is like the one asked for (`gpt-4o`, `gpt-9`).

    False for names that say nothing about a model: files, deployments, `m`.
    """
    return not _FILE.search(served) and _family(asked) == _family(served) is not None


def _family(text: str) -> str | None:
    found = re.match(r"[a-z]+", _VENDOR.sub("", text.strip().lower().rsplit("/", 1)[-1]))
    return None if found is None else found[0]
