"""The last moment before a request is sent: a rate counts sendings, and not what was let through.

Between a gate and the first byte lie a change of tasks, the making of the request, and whatever else the loop does
meanwhile. So gates let a request pass a little ahead of its time, and the client holds it until it may be sent.
Whether it may is asked with nothing in between, so that the law holds exactly however late somebody is.
"""

from __future__ import annotations

from typing import Final

from console.engine.arbiter import Passage

AHEAD_NS: Final = 2_000_000
"""How far ahead of its time a request passes a rate where the client holds it: twice what a timer of uvloop may
be late, and more than its way to the socket takes on a busy loop."""


class Departure:
    """The departure of one request that passed gates with rates."""

    __slots__ = ("_passage", "_settled", "due_ns", "sent_ns")

    def __init__(self, passage: Passage, due_ns: int) -> None:
        """Begin with what passed and may be sent at `due_ns`, if all before it are on time."""
        self._passage = passage
        self._settled = False
        self.due_ns = due_ns
        """When it may be sent, as far as it has been asked."""
        self.sent_ns: int | None = None
        """When it was sent last; None: it has not been."""

    def wait_ns(self, now_ns: int) -> int:
        """Return for how long it has to wait still."""
        if self.due_ns > now_ns:
            return self.due_ns - now_ns  # those before it come first, and wait for nothing else
        return self._noted(now_ns, self._passage.wait_ns(now_ns))

    def claim(self, now_ns: int) -> int:
        """Return 0 if it is sent at once, which `sent` has to tell before anything is awaited; else, as above."""
        return self._noted(now_ns, self._passage.claim(now_ns))

    def sent(self, sent_ns: int) -> None:
        """Note that its first byte is about to leave."""
        self._passage.sent(sent_ns, again=self._settled)
        self._settled = True
        self.sent_ns = sent_ns

    def over(self) -> None:
        """Note that it is not going to be sent any more."""
        if not self._settled:
            self._settled = True
            self._passage.unsent()

    def _noted(self, now_ns: int, wait_ns: int) -> int:
        if wait_ns:
            self.due_ns = max(self.due_ns, now_ns + wait_ns)
        return wait_ns
