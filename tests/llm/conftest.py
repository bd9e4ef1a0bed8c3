"""Both loops that a run may use; every wire test runs on each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from scripted_server import until

SOCKETS = Path("/proc/self/fd")


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


def open_sockets() -> int:
    """Sockets of this process. Other descriptors come and go with the loop's own threads."""
    if not SOCKETS.is_dir():
        return 0
    count = 0
    for number in os.listdir(SOCKETS):
        try:
            count += os.readlink(SOCKETS / number).startswith("socket:")
        except OSError:
            continue  # the one of the listing itself
    return count


@pytest.fixture
async def no_socket_left() -> AsyncIterator[None]:
    """No socket outlives a test, as far as /proc tells."""
    before = open_sockets()
    yield
    await until(lambda: open_sockets() <= before)


@pytest.fixture
async def loop_unharmed() -> AsyncIterator[None]:
    """No exception reaches the loop's handler."""
    caught: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: caught.append(context))
    yield
    loop.set_exception_handler(None)
    assert caught == []
