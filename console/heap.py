"""The heap of an engine process: what is there before a run begins is left alone by the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_THRESHOLDS: Final = (50_000, 10, 20)
"""Objects made and not yet freed before the youngest are walked, and how often the older ones are.

A request in flight is some 40 objects that all go by reference counting. By default (700) each of them is walked two
or three times while it lives, and most of all when a wave of requests ends and the next begins: 13 ms for 600
streams. This many are made by no wave of up to a thousand requests; a walk of them takes 15 ms and is rare. What there
is to collect are a few objects of each refused connection.
"""


@contextmanager
def settled_heap() -> Generator[None]:
    """Keep what is alive now out of collections, and collections out of the way of a run: its answers leave no cycles.

    Modules, profile, plan and lanes live to the end; walking them takes tens of milliseconds, in which no
    stream is read.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
