"""A running simulator and the real SDKs pointed at it, retries off."""

from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from simulator.server import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture
async def claude(sim: Simulator) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key="sk-test", base_url=sim.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
async def gpt(sim: Simulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="sk-test", base_url=f"{sim.base_url}/v1", max_retries=0) as client:
        yield client
