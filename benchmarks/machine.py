"""What the figures depend on that is not ours: cores, open files, CPU clocks, the garbage collector."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from console.heap import settled_heap

_ALL = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set[int]()
"""Cores of this process before it is pinned."""
_MOMENT_S = 0.5
_CALM = 0.1
"""Of a core: what a system does that rests."""


def cores() -> tuple[int, int]:
    """Return the client's core and the server's; the same one where there is but one."""
    return (min(_ALL), max(_ALL)) if _ALL else (0, 0)


def pin(core: int) -> None:
    """Keep this process on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


@contextmanager
def all_cores() -> Generator[None]:
    """Let go of the pinning, so that children start as a user's would."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _ALL)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def more_open_files() -> int:
    """Raise the limit of open files as far as allowed, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def cpu_s() -> float:
    """CPU seconds of this process alone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def children_cpu_s() -> float:
    """CPU seconds of the children that ended and were waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def resident_bytes() -> int | None:
    """Memory of this process in RAM; None where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def others_s() -> float:
    """Seconds that the one core of this process was busy for others, since the system began.

    Interrupts and what the hypervisor took are in it. 0 where the system does not tell, or the core is not one.
    """
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return max(busy_s(own[0]) - cpu_s(), 0.0) if len(own) == 1 else 0.0


def busy_s(core: int) -> float:
    """Seconds that `core` was busy since the system began; 0 where the system does not tell."""
    try:
        with open("/proc/stat") as file:
            lines = file.read().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _wait, irq, softirq, stolen = (int(word) for word in line.split()[1:9])
            return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")
    return 0.0


def wait_for_calm(patience_s: float) -> None:
    """Wait, no longer than that, until both cores have been idle for a moment."""
    watched = sorted(_ALL)
    give_up = time.perf_counter() + patience_s
    while time.perf_counter() < give_up:
        before = [busy_s(core) for core in watched]
        time.sleep(_MOMENT_S)
        busy = [(busy_s(core) - then) / _MOMENT_S for core, then in zip(watched, before, strict=True)]
        if max(busy, default=0.0) < _CALM:
            return


@dataclass
class Window:
    """What was measured between its begin and end."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    others: float = 0.0
    """Share of the core that others took."""


@contextmanager
def window() -> Generator[Window]:
    """Measure the body: wall time and CPU of this process, with the heap as a run has it."""
    measured = Window()
    with settled_heap():
        others = others_s()
        started, cpu = time.perf_counter(), cpu_s()
        yield measured
        measured.seconds, measured.cpu_s = time.perf_counter() - started, cpu_s() - cpu
        measured.others = max(others_s() - others, 0.0) / measured.seconds
