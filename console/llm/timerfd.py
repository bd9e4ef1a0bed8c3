"""A timer of the kernel that is a file descriptor: an event of input whose time of arrival is known exactly.

Python has `os.timerfd_create` from 3.13 on; here it is called through ctypes, which is there on every Linux.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any, Final, Self

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_NS_PER_S: Final = 1_000_000_000


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class TimerFd:
    """One timer on the clock of `time.perf_counter_ns`; readable from the time it is armed for."""

    def __init__(self, libc: Any, fd: int) -> None:
        self._libc = libc
        self.fd = fd
        self._spec = _TimerSpec()

    @classmethod
    def open(cls) -> Self | None:
        """Return a timer, or None where the system has none."""
        if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) != 8:
            return None
        if "CLOCK_MONOTONIC)" not in time.get_clock_info("perf_counter").implementation:
            return None  # arrivals would be on another clock than ours
        try:
            # PyDLL keeps the interpreter's lock: the call takes a microsecond, and a thread that took the lock
            # in between would be measured as a delay of reads.
            libc = ctypes.PyDLL(None)
            fd = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return None
        return cls(libc, fd) if fd >= 0 else None

    def arm(self, at_ns: int) -> None:
        """Become readable at `at_ns`, and not before.

        Raises:
            OSError: if the kernel refuses.
        """
        value = self._spec.value
        value.seconds, value.nanoseconds = divmod(at_ns, _NS_PER_S)
        if self._libc.timerfd_settime(self.fd, _ABSOLUTE, ctypes.byref(self._spec), None) != 0:
            raise OSError("the kernel's timer cannot be set")

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
