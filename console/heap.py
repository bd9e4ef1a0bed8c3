"""The heap of an engine process: what is there before a run begins is left alone by the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def settled_heap() -> Generator[None]:
    """Keep what is alive now out of collections, so that a full one has only the run's own objects to walk.

    Modules, profile, plan and lanes live to the end; walking them takes tens of milliseconds, in which no
    stream is read.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
