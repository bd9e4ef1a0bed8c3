"""Answers that are handed out again for a moment, so that many watchers cost no more than one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio

_MOST: Final = 64
"""Answers kept at once; with more, those that are too old are dropped."""


class _Answer:
    """One answer; made by the first who asks, while the others wait."""

    def __init__(self) -> None:
        self.line = b""
        self.until = float("-inf")
        self.making = anyio.Lock()


class KeptAnswers:
    """Lines by what was asked."""

    def __init__(self, life_s: float) -> None:
        """Keep each line for `life_s`."""
        self._life_s = life_s
        self._answers: dict[str, _Answer] = {}

    def forget(self) -> None:
        """Let every answer be made anew."""
        for answer in self._answers.values():
            answer.until = float("-inf")

    async def get(self, asked: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the line that is kept for `asked`, or the one that `make` makes."""
        now = anyio.current_time()
        if len(self._answers) >= _MOST:
            kept = self._answers.items()
            self._answers = {
                name: one for name, one in kept if one.until > now or one.making.statistics().locked
            }
        answer = self._answers.setdefault(asked, _Answer())
        async with answer.making:
            if anyio.current_time() >= answer.until:
                answer.line = await make()
                answer.until = anyio.current_time() + self._life_s
            return answer.line
