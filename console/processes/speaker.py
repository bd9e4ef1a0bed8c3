"""Words on their way over a line: whoever says one goes on at once, and they leave in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import anyio

from console.control.lines import LineSocket

Message = TypeVar("Message")


class Speaker(Generic[Message]):
    """Keeps what is said until the line has taken it. `run` it beside whoever speaks."""

    def __init__(self, line: LineSocket, encode: Callable[[Message], bytes]) -> None:
        """Speak into `line`; `encode` makes a line of a message, as it leaves."""
        self._line = line
        self._encode = encode
        self._unsent: list[Message] = []
        self._something = anyio.Event()

    def say(self, message: Message) -> None:
        """Send a message soon."""
        self._unsent.append(message)
        self._something.set()

    async def run(self) -> None:
        """Send what there is to say until cancelled.

        Raises:
            OSError: if the line broke.
        """
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            unsent, self._unsent = self._unsent, []
            await self._line.send(b"".join(map(self._encode, unsent)))
