"""What lets everything through or nothing: pause, and a disk that takes no rows."""

from __future__ import annotations

import anyio


class Valve:
    """Open or closed, for everything at once: pause, and a disk that takes no rows. Closed while any reason holds."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._opened = anyio.Event()
        self._opened.set()

    @property
    def is_open(self) -> bool:
        """Whether new requests may be sent."""
        return not self._reasons

    def close(self, reason: str) -> None:
        """Close it for `reason`."""
        if not self._reasons:
            self._opened = anyio.Event()
        self._reasons.add(reason)

    def open(self, reason: str) -> None:
        """Take `reason` away; it opens with the last one."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._opened.set()

    async def wait(self) -> None:
        """Wait until it is open."""
        while self._reasons:
            await self._opened.wait()
