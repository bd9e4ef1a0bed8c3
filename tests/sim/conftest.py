"""Async tests of the simulator run on asyncio, which its server needs."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
