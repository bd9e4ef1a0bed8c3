"""Tasks that send what is due: one that is idle takes the next request, and a new one begins only where none is.

A task costs as much as a small request, so each of them sends many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

Item = TypeVar("Item")


class _Idle(Generic[Item]):
    """One that waits for its next request."""

    __slots__ = ("called", "item")

    def __init__(self) -> None:
        self.called = anyio.Event()
        self.item: Item | None = None
        """None when called: there is none to come."""


class Senders(Generic[Item]):
    """As many tasks as there are requests under way at the busiest moment. `close` when all are handed over."""

    def __init__(self, group: TaskGroup, send: Callable[[Item], Awaitable[None]]) -> None:
        """Send by `send`, in tasks of `group`."""
        self._group = group
        self._send = send
        self._idle: list[_Idle[Item]] = []
        self._closed = False

    def hand_over(self, item: Item) -> None:
        """Have a request sent, by a task whose next step it is."""
        if self._idle:
            sender = self._idle.pop()
            sender.item = item
            sender.called.set()
        else:
            self._group.start_soon(self._one_after_another, item)

    def close(self) -> None:
        """End each task when it has sent what it has."""
        self._closed = True
        for sender in self._idle:
            sender.called.set()
        self._idle.clear()

    async def _one_after_another(self, item: Item) -> None:
        while True:
            await self._send(item)
            if self._closed:
                return
            sender: _Idle[Item] = _Idle()
            self._idle.append(sender)
            await sender.called.wait()
            if sender.item is None:
                return
            item = sender.item
