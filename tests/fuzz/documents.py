"""Puts wrong values into the JSON document of a line."""

import json
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzz.junk import JUNK_NAMES, JUNK_VALUES


def damage_document(random: Random, line: bytes) -> bytes:
    """The line with some values of its document replaced, left out, renamed or added; as it is if it has none."""
    start = line.find(b"{")
    try:
        document = json.loads(line[start:])
    except (ValueError, RecursionError):
        return line
    for _ in range(random.choice((1, 1, 2, 4))):
        document = _damaged(random, document)
    if random.random() < 0.1:
        document = [document] * random.choice((1, 2))
    text = json.dumps(document, ensure_ascii=random.random() < 0.8, indent=random.choice((None, None, None, 1)))
    if random.random() < 0.5:
        text = text.replace("\n", "\ndata: ")
    return line[:start] + text.encode("utf-8", "surrogatepass")


def _damaged(random: Random, document: Any) -> Any:
    containers = [item for item in _walk(document) if item]
    if not containers:
        return deepcopy(random.choice(JUNK_VALUES))
    # Values far inside are the ones that are read.
    container = random.choice(containers)
    value = deepcopy(random.choice(JUNK_VALUES))
    if isinstance(container, list):
        match random.randrange(4):
            case 0:
                container[random.randrange(len(container))] = value
            case 1:
                container.insert(random.randint(0, len(container)), value)
            case 2:
                container.extend(container[:3])
            case 3:
                del container[random.randrange(len(container))]
        return document
    name = random.choice([*container])
    match random.randrange(6):
        case 0 | 1:
            container[name] = value
        case 2:
            del container[name]
        case 3:
            container[random.choice(JUNK_NAMES)] = container.pop(name)
        case 4:
            container[random.choice(JUNK_NAMES)] = value
        case 5:
            container[name] = (
                [container[name]] if random.random() < 0.5 else {random.choice(JUNK_NAMES): container[name]}
            )
    return document


def _walk(value: Any) -> list[Any]:
    """All objects and lists inside a value."""
    found, left = [], [value]
    while left and len(found) < 200:
        item = left.pop()
        if isinstance(item, dict | list):
            found.append(item)
            left += item.values() if isinstance(item, dict) else item
    return found
