"""Which event loop a process of ours runs on."""

from __future__ import annotations

import importlib.util
from typing import Any


def loop_options() -> dict[str, Any]:
    """Return the options for `anyio.run`: uvloop where it is installed."""
    return {"use_uvloop": importlib.util.find_spec("uvloop") is not None}
