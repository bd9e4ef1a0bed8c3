"""What a passage has to do with besides its gates: what is behind them, what other runs share of them, and who waits."""

from __future__ import annotations

from typing import Literal, Protocol

import anyio

Entry = Literal["no", "yes", "probe"]
"""Whether a request was let in, and whether it is the one that tests if a lane answers again."""


class Door(Protocol):
    """What is behind the gates: a lane, open or closed."""

    def is_open(self) -> bool:
        """Whether it takes a request now. If not, who stands at its open gates is sent away."""
        ...

    def let_in(self) -> Entry:
        """Take in a request that has passed all gates; only asked while it is open."""
        ...

    def take_back(self, entry: Entry) -> None:
        """Take note that a request that was let in was cancelled before it could be sent."""
        ...


class Beyond(Protocol):
    """What other runs on this machine share of the gates of a passage."""

    def try_pass(self, now_ns: int, estimated_tokens: float, ahead_ns: int = 0) -> int:
        """Pass, all at once, and return 0; or hold nothing and return when to try again, on the clock of `now_ns`.

        Rates let pass what is due within `ahead_ns`.
        """
        ...

    def wait_ns(self, now_ns: int) -> int:
        """Return for how long a request that passed has to wait still before it is sent."""
        ...

    def claim(self, now_ns: int) -> int:
        """Return 0 if it is to be sent at once, which `sent` will tell; nobody else sends in between. Else, as above."""
        ...

    def sent(self, sent_ns: int, *, again: bool) -> None:
        """Note when a request that passed was really sent."""
        ...

    def unsent(self) -> None:
        """Note that a request which passed is not going to be sent."""
        ...

    def leave(self, now_ns: int, estimated_tokens: float, used_tokens: float | None) -> None:
        """Note that a request that passed is not in flight any more."""
        ...


class Waiter:
    """One request that waits."""

    __slots__ = ("door", "due_ns", "entry", "estimated_tokens", "order", "overtaken", "woken")

    def __init__(self, order: int, estimated_tokens: float, door: Door) -> None:
        self.order = order
        self.estimated_tokens = estimated_tokens
        self.door = door
        self.entry: Entry | None = None
        self.due_ns = 0
        """When it may be sent, once it has passed."""
        self.overtaken: dict[int, int] = {}
        """By the index of the gate in its passage."""
        self.woken = anyio.Event()

    def __lt__(self, other: Waiter) -> bool:
        return self.order < other.order
