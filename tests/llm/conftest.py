"""Both loops that a run may use; every wire test runs on each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import trustme
from scripted_server import until


@pytest.fixture(params=[{"use_uvloop": True}, {"use_uvloop": False}], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return ("asyncio", request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No task outlives a test."""
    before = len(asyncio.all_tasks())
    yield
    await until(lambda: len(asyncio.all_tasks()) <= before)
