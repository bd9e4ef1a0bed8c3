"""Virtual time that passes the same way every time: trio on a mock clock, with its order of tasks made repeatable."""

from __future__ import annotations

import importlib
import random
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


NowNs = Callable[[], int]


def run_virtually(main: Callable[[NowNs], Awaitable[T]], *, seed: int) -> T:
    """Run `main` on a clock that begins at 0 and jumps to whatever is due next; `main` is told how to read it."""
    import trio
    from trio.testing import MockClock

    clock = MockClock(autojump_threshold=0)
    current_time = clock.current_time

    def now_ns() -> int:
        return round(current_time() * 1e9)

    with _repeatable_order(seed):
        return trio.run(main, now_ns, clock=clock)


@contextmanager
def _repeatable_order(seed: int) -> Generator[None]:
    """Let trio draw the order of tasks that are ready at the same moment from `seed`.

    Trio shuffles them on purpose, so that nobody relies on an order. It has a switch for those who test with it,
    which is not part of its documented interface; where that is gone, forecasts may differ by who came first
    at the same instant and by nothing else.
    """
    module: Any = importlib.import_module("trio._core._run")
    before = getattr(module, "_ALLOW_DETERMINISTIC_SCHEDULING", None), getattr(module, "_r", None)
    if None in before:
        yield
        return
    module._ALLOW_DETERMINISTIC_SCHEDULING, module._r = True, random.Random(seed)
    try:
        yield
    finally:
        module._ALLOW_DETERMINISTIC_SCHEDULING, module._r = before
