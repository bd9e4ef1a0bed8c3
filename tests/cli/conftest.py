"""What tests of the command line share: none leaves a process behind, not even where it fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from commands import STARTED


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    STARTED.clear()
    yield
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.communicate()
