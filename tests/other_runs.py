"""Other runs of the machine that want the same keys, as random schedules draw them."""

from __future__ import annotations


class OtherRuns:
    """Keys that other runs have at times, also where this run had them."""

    def __init__(self, dice, keys):
        self.taken = {key: self._spans(dice) for key in keys}
        self.ours = set()

    @staticmethod
    def _spans(dice):
        at, spans = 0.0, []
        for _ in range(dice.choice([0, 0, 1, 3])):
            begin = at + dice.random() * 40
            at = begin + dice.random() * 40
            spans.append((begin * 1e9, at * 1e9))
        return spans

    def _has_other(self, key, at_ns):
        return any(begin <= at_ns < end for begin, end in self.taken[key])

    def ask(self, key, at_ns):
        assert key not in self.ours
        if self._has_other(key, at_ns):
            return False
        self.ours.add(key)
        return True

    def give_back(self, key, at_ns):
        self.ours.discard(key)

    def still_ours(self, key, at_ns):
        assert key in self.ours
        if self._has_other(key, at_ns):
            self.ours.discard(key)
            return False
        return True

    def holder(self, key, at_ns):
        return "run x"
