"""Both loops that a run may use; every wire test runs on each."""

from __future__ import annotations

import pytest
import trustme


@pytest.fixture(params=[{"use_uvloop": True}, {"use_uvloop": False}], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return ("asyncio", request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
