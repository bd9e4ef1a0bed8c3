"""Leases of keys: who holds which, and who may have one next. Pure; the order of jobs asks and tells it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from console.vocabulary.lane import LeaseRule

Lendable = Callable[[str], bool]
"""Says whether a key, `provider/key`, may be lent to a further holder, for all that is known beyond this run."""


def always(key: str) -> bool:
    """Lend every key."""
    return True


class KeyPool:
    """Keys and their holders."""

    def __init__(
        self,
        wants: Sequence[tuple[str, ...] | None],
        models: Sequence[str],
        rules: Mapping[str, LeaseRule],
    ) -> None:
        """Take, per job, the keys that it may lease (None: it leases none) and its model; and the rule of each key.

        A key without a rule has one holder, a job.
        """
        self._wants = list(wants)
        self._models = list(models)
        self._rules = dict(rules)
        self._key_of: dict[int, str] = {}
        self._holders: dict[str, dict[int, None]] = {}
        self._off: set[str] = set()
        self._shut: list[set[str]] = [set() for _ in self._wants]
        """By job: keys that do not serve it, though they may serve others."""

    def wants(self, job: int) -> bool:
        """Whether a job leases a key."""
        return self._wants[job] is not None

    def key_of(self, job: int) -> str | None:
        """Return the key that a job holds."""
        return self._key_of.get(job)

    def holders(self, key: str) -> tuple[int, ...]:
        """Return the jobs that hold a key, the first one first."""
        return tuple(self._holders.get(key, ()))

    @property
    def leases(self) -> dict[int, str]:
        """Job → the key that it holds."""
        return dict(self._key_of)

    def hopeless(self, job: int) -> bool:
        """Whether all keys that a job might lease are off, or do not serve it."""
        wanted = self._wants[job]
        return wanted is not None and (self._off | self._shut[job]).issuperset(wanted)

    def could_have(self, job: int) -> tuple[str, ...]:
        """Return the keys that a job would get now, if they were lendable; the one preferred first."""
        wanted = self._wants[job] or ()
        return tuple(key for key in wanted if self._serves(key, job) and self._has_room(key))

    def free(self, job: int, lendable: Lendable = always, reserved: Container[str] = ()) -> str | None:
        """Return the key that a job would get now, None where it has to wait.

        Where a key is lent to a model, the job joins those of its model; nobody need be asked for that.
        """
        wanted = self._wants[job] or ()
        for key in wanted:
            if self._joins(key, job):
                return key
        for key in wanted:
            if self._serves(key, job) and key not in reserved and self._has_room(key) and lendable(key):
                return key
        return None

    def grant(self, job: int, key: str) -> None:
        """Note that a job holds a key."""
        self._key_of[job] = key
        self._holders.setdefault(key, {})[job] = None

    def release(self, job: int) -> None:
        """Note that a job holds no key any more."""
        key = self._key_of.pop(job, None)
        if key is not None:
            del self._holders[key][job]

    def off(self, key: str) -> tuple[int, ...]:
        """Take a key out of the pool; return the jobs that lose it."""
        self._off.add(key)
        losers = self.holders(key)
        for job in losers:
            self.release(job)
        return losers

    def on(self, key: str) -> None:
        """Put a key back into the pool."""
        self._off.discard(key)

    def shut(self, job: int, key: str) -> bool:
        """Note that a key does not serve a job; return whether the job loses it by that."""
        self._shut[job].add(key)
        loses = self._key_of.get(job) == key
        if loses:
            self.release(job)
        return loses

    def open(self, job: int, key: str) -> None:
        """Note that a key serves a job again."""
        self._shut[job].discard(key)

    def _rule(self, key: str) -> LeaseRule:
        return self._rules.get(key) or LeaseRule()

    def _joins(self, key: str, job: int) -> bool:
        held_by = {self._models[holder] for holder in self._holders.get(key, ())}
        return self._serves(key, job) and self._rule(key).to == "model" and self._models[job] in held_by

    def _serves(self, key: str, job: int) -> bool:
        return key not in self._off and key not in self._shut[job]

    def _has_room(self, key: str) -> bool:
        rule, jobs = self._rule(key), self._holders.get(key, {})
        held = len(jobs) if rule.to == "job" else len({self._models[job] for job in jobs})
        return held < rule.holders
