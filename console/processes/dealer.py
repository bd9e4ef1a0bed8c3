"""Who gets which tests: one job's queue, handed out in batches to the processes that ask, and what came of them.

Pure bookkeeping, without clock or socket. A process says how many tests it takes in all, for its idle workers and
with some at hand; it is given those for idle workers first, in turn with the others, and some at hand only while
there is plenty: towards the end nobody shall hold tests that another one has a worker for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence


class Dealer:
    """The tests of one job, or the prompts of one level, on several processes."""

    def __init__(
        self, items: Iterable[str], owned: Mapping[int, Iterable[str]], processes: Iterable[int]
    ) -> None:
        """Begin with everything still to do.

        Args:
            items: what is handed out.
            owned: what processes have from the beginning, because the plan deals it to a lane of theirs.
            processes: who plays.
        """
        self._queue: deque[str] = deque(items)
        self._held: dict[int, dict[str, None]] = {
            process: dict.fromkeys(owned.get(process, ())) for process in processes
        }
        self._given = dict.fromkeys(self._held, 0)
        self._now = dict.fromkeys(self._held, 0)
        self._ahead = dict.fromkeys(self._held, 0)
        self.attempts: dict[str, int] = {}
        """How often a test was tried that came back."""
        self.done = 0
        """Tests whose verdict stands."""
        self.answered = 0
        """Those of them that the model answered."""
        self._left: set[int] = set()
        self._stints: dict[int, int] = {}

    @property
    def playing(self) -> bool:
        """Whether a process plays it still."""
        return any(process not in self._left for process in self._held)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return not self._queue and not any(self._held.values())

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it: all is done, or nobody plays on and nothing is on its way."""
        return self.finished or (not self.playing and not any(self._held.values()))

    @property
    def waiting(self) -> int:
        """How many tests nobody holds."""
        return len(self._queue)

    @property
    def left(self) -> Sequence[str]:
        """Tests that nobody holds."""
        return list(self._queue)

    def stint(self, process: int) -> int:
        """Return how often a process joined: what it says of an earlier time is old news."""
        return self._stints.get(process, 0)

    def want(self, process: int, now: int, ahead: int, stint: int = 0) -> None:
        """Take note of what a process takes, counted from when it joined."""
        if process in self._held and stint == self.stint(process):
            self._now[process], self._ahead[process] = now, ahead

    def deal(self) -> dict[int, list[str]]:
        """Hand out what may be handed out now."""
        dealt: dict[int, list[str]] = {process: [] for process in self._held if process not in self._left}
        self._deal_up_to(self._now, dealt)
        at_hand = sum(max(0, self._ahead[process] - self._given[process]) for process in dealt)
        if len(self._queue) >= at_hand:
            self._deal_up_to(self._ahead, dealt)
        return {process: tests for process, tests in dealt.items() if tests}

    def _deal_up_to(self, wanted: Mapping[int, int], dealt: dict[int, list[str]]) -> None:
        """Hand out in turn, so that few tests spread over all."""
        hungry = True
        while hungry and self._queue:
            hungry = False
            for process in dealt:
                if self._queue and self._given[process] < wanted[process]:
                    test = self._queue.popleft()
                    self._held[process][test] = None
                    self._given[process] += 1
                    dealt[process].append(test)
                    hungry = True

    def finish(self, process: int, tests: Iterable[str], answered: Iterable[bool]) -> None:
        """Take note of verdicts that stand, and whether the model answered."""
        held = self._held.get(process, {})
        for test, well in zip(tests, answered, strict=True):
            if held.pop(test, self) is not self:
                self.done += 1
                self.answered += well

    def leave(
        self, process: int, returned: Iterable[str], attempts: Mapping[str, int], stint: int = 0
    ) -> None:
        """Take back what a process could not play; it plays this job no more, unless it joined again meanwhile.

        What is on its way to it comes back later, with another call, and counts as held until then.
        """
        held = self._held.get(process, {})
        back = [test for test in returned if held.pop(test, self) is not self]
        self._queue.extendleft(reversed(back))
        self.attempts.update(attempts)
        if stint == self.stint(process):
            self._left.add(process)

    def join(self, process: int) -> None:
        """Let a process play that has nothing yet, or nothing but what it is about to give back."""
        self._held.setdefault(process, {})
        self._stints[process] = self.stint(process) + 1
        self._given[process] = self._now[process] = self._ahead[process] = 0
        self._left.discard(process)

    def lose(self, process: int, done: Mapping[str, bool], attempts: Mapping[str, int]) -> None:
        """Take back everything that a process held which is gone, but for what its journal says is done.

        Args:
            process: the one that is gone.
            done: tests whose verdict stands, and whether the model answered.
            attempts: how often others were tried.
        """
        held = self._held.pop(process, {})
        self._left.add(process)
        self.done += sum(test in done for test in held)
        self.answered += sum(done.get(test, False) for test in held)
        back = [test for test in held if test not in done]
        self.attempts.update({test: attempts[test] for test in back if test in attempts})
        self._queue.extendleft(reversed(back))

    def write_off(self, process: int) -> None:
        """Give up everything that a process held which is gone: nobody does it again."""
        self.lose(process, dict.fromkeys(self._held.get(process, {}), False), {})
