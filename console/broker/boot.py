"""Which boot of the machine this is: monotonic times of another one mean nothing."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from console.broker.unusable import ShareError

_LINUX: Final = Path("/proc/sys/kernel/random/boot_id")
_MACOS: Final = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


@cache
def boot_id() -> str:
    """Return what names this boot of this machine, and no other.

    Raises:
        ShareError: if the system does not say.
    """
    try:
        found = _LINUX.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        found = _asked_for()
    if not found:
        raise ShareError("the system does not say which boot this is", where=str(_LINUX))
    return found


def _asked_for() -> str:
    try:
        done = subprocess.run(_MACOS, capture_output=True, timeout=5, check=True)  # noqa: S603 - a constant
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace").strip()
