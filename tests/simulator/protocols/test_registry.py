"""The simulator speaks every protocol that the product speaks."""

import pytest

from shared.protocols.registry import PROTOCOLS
from simulator.protocols.registry import WIRE_FORMATS, wire_format_for


def test_each_protocol_of_the_product_has_a_wire_format_of_its_name() -> None:
    assert sorted(wire.name for wire in WIRE_FORMATS.values()) == sorted(PROTOCOLS)


@pytest.mark.parametrize("path", WIRE_FORMATS)
def test_a_wire_format_is_for_the_clients_of_its_path(path: str) -> None:
    assert wire_format_for(path, {}) is WIRE_FORMATS[path]
