"""Every test has a folder of its own to share in."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.broker.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "share")
