"""Whether answers take longer than they need to: medians over cohorts of requests, against the best one lately."""

from __future__ import annotations

from collections import deque
from math import sqrt
from typing import Final

from console.engine.gates import NS_PER_S
from console.vocabulary.chat import ChatResult

_KEPT_NS: Final = 600 * NS_PER_S
_SHORTEST_NS: Final = NS_PER_S // 2
"""A quick server would be judged many times a second otherwise."""
_ENOUGH: Final = 0.6
"""Part of a cohort that has to be back: its median is then known, whatever the others take."""
_PATIENCE: Final = 1.5
"""Times the mean of a whole answer, from the last of the cohort on."""
_PRECISION: Final = 0.06
"""Standard error that the median of a cohort should have."""
_SMALLEST: Final = 20
_LARGEST: Final = 200
_PREFILL_TOKENS: Final = 64
"""What reading the prompt and answering at all takes, in tokens written; for answers that come in one piece."""


def latency_s(result: ChatResult) -> float | None:
    """Return a time that grows with queueing and not with the length of the answer, or None.

    TTFT where it streams; else the time per token written, in seconds for an answer of as many tokens as go into
    reading the prompt; without usage, the whole time.
    """
    stamps = result.stamps
    sent_ns, first_ns, last_ns = stamps.sent_ns, stamps.first_content_ns, stamps.last_content_ns
    if sent_ns is None or first_ns is None or last_ns is None:
        return None
    if last_ns > first_ns:
        return (first_ns - sent_ns) / NS_PER_S
    whole_s = (last_ns - sent_ns) / NS_PER_S
    tokens = result.completion_tokens
    return whole_s if not tokens else whole_s * 2 * _PREFILL_TOKENS / (_PREFILL_TOKENS + tokens)


class Cohorts:
    """Medians of successive cohorts, each the requests that were sent one after another.

    Taking requests as they end would count the quick ones first, and a load that grows would look fast.
    """

    def __init__(self) -> None:
        self.latest_s: float | None = None
        """Median of the last whole cohort."""
        self.base_s: float | None = None
        """The least of the last ten minutes, each with its standard error added: the least of many is too low."""
        self.base_ns = 0
        """When that was."""
        self.patient = False
        """Whether to wait until whatever is not back is so because it is slow, not because it was sent last."""
        self._took_s = 3.0
        self.precise = _SMALLEST
        """Requests that make a median precise, by the spread of the last cohort."""
        self._target = _SMALLEST
        self._from_ns = 0
        self._until_ns: int | None = None
        self._members = 0
        self._values: list[float] = []
        self._late = 0
        self._history: deque[tuple[int, float]] = deque()
        """When and how quick; a later one stays only behind quicker ones, so the first is the quickest."""

    def aim(self, members: int) -> None:
        """Take this many requests into the next cohort."""
        self._target = max(2, members)

    def sent(self, now_ns: int) -> None:
        """Take a request into the cohort that is filling, if one is."""
        if self._until_ns is None:
            if not self._members:
                self._from_ns = now_ns
            self._members += 1
            if self._members >= self._target and now_ns - self._from_ns >= _SHORTEST_NS:
                self._until_ns = now_ns

    def ended(self, now_ns: int, sent_ns: int, value_s: float | None, *, late: bool = False) -> bool:
        """Take in how a request ended; without a time, and not `late`, it tells nothing.

        Returns:
            Whether that made a cohort whole.
        """
        until_ns = self._until_ns
        if not self._members or sent_ns < self._from_ns or (until_ns is not None and sent_ns > until_ns):
            return False
        if late:
            self._late += 1
        elif value_s is not None:
            self._values.append(value_s)
            self._took_s += 0.05 * ((now_ns - sent_ns) / NS_PER_S - self._took_s)
        else:
            self._members -= 1
        back = len(self._values) + self._late
        if until_ns is None or back < _ENOUGH * self._members:
            return False
        if self.patient and back < self._members and now_ns < until_ns + _PATIENCE * self._took_s * NS_PER_S:
            return False
        if self._members > 0:
            self._close(now_ns)
        self._begin()
        return self.latest_s is not None

    def forget_base(self) -> None:
        """Hold what comes against the last cohort, and forget all that were before it."""
        while len(self._history) > 1:
            self._history.popleft()
        if self._history:
            self.base_ns, self.base_s = self._history[0]

    def confirm_base(self, now_ns: int, base_s: float) -> None:
        """Take `base_s` as measured now."""
        self._history.clear()
        self._history.append((now_ns, base_s))
        self.base_ns, self.base_s = now_ns, base_s

    def _close(self, now_ns: int) -> None:
        values = sorted(self._values)
        if not values:
            return
        middle = self._members // 2
        median_s = values[middle] if middle < len(values) else 2 * values[-1]
        # The quarter below the median is known for sure; a normal's is 0.674 of its deviation away.
        spread = 1.0 - values[min(middle, len(values) - 1) // 2] / median_s if median_s else 0.0
        error = 1.25 * spread / 0.674
        self.precise = min(_LARGEST, max(_SMALLEST, int((error / _PRECISION) ** 2)))
        self.latest_s = median_s
        bound_s = median_s * (1.0 + error / sqrt(self._members))
        history = self._history
        while history and history[-1][1] >= bound_s:
            history.pop()
        history.append((now_ns, bound_s))
        while history[0][0] < now_ns - _KEPT_NS:
            history.popleft()
        self.base_ns, self.base_s = history[0]

    def _begin(self) -> None:
        self._until_ns = None
        self._members = self._late = 0
        self._values = []
