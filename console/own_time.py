"""What the system says of this process's own time: how long it computed, and how long it was kept from computing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_SCHEDSTAT: Final = Path("/proc/self/schedstat")
"""`ran waited slices` of the main thread, in ns."""


def cpu_ns() -> int:
    """Return the CPU time of all threads so far."""
    return time.process_time_ns()


def waited_ns() -> int:
    """Return for how long the main thread, which runs the event loop, was ready to run and had no CPU; 0 where unknown."""
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
