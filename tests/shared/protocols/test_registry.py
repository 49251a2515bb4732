"""Every protocol is registered, and a name that is not registered is an error."""

import importlib
import pkgutil

import pytest

import shared.protocols
from shared.protocols.base import Adapter
from shared.protocols.registry import PROTOCOLS, UnknownProtocol, protocol_named
from tests.support.imports import loaded_by


def test_every_adapter_of_the_room_is_registered_under_its_own_name() -> None:
    for module in pkgutil.iter_modules(shared.protocols.__path__):
        importlib.import_module(f"shared.protocols.{module.name}")
    written = [adapter for adapter in Adapter.__subclasses__() if adapter.__module__.startswith("shared.protocols.")]
    assert {adapter.name: adapter for adapter in written} == PROTOCOLS
    assert len(written) == len(PROTOCOLS)


@pytest.mark.parametrize("name", ["", "OpenAI", "sk-0123456789abcdef"])
def test_an_unknown_protocol_is_an_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownProtocol) as caught:
        protocol_named(name)
    assert str(caught.value) == f"unknown protocol; known protocols: {', '.join(PROTOCOLS)}"


@pytest.mark.parametrize("module", ["shared.protocols.registry", "api.main"])
def test_the_sdks_are_not_imported_before_a_request_is_built(module: str) -> None:
    sdks = {adapter.sdk().error.__module__.partition(".")[0] for adapter in PROTOCOLS.values()}
    assert not sdks & loaded_by(module)
