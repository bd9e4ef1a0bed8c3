"""Which limits a run has, what somebody made of them, and what a wish to change some comes to. Enforces nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from console.vocabulary.command import Change, Refused, Tune
from console.vocabulary.lane import LaneSetup, Scope, outer_scopes
from console.vocabulary.nearest import nearest
from console.vocabulary.safe_text import safe_line

MOST_WORKERS: Final = 100_000
LEAST_QPS: Final = 0.001
MOST_QPS: Final = 100_000.0
_LEAST_BY_STEPS: Final = 0.1
"""Requests per second below which `-` does not go; `=` does."""
NAMED: Final = 3
"""Scopes that an answer names one by one."""

What = Literal["workers", "qps"]


class Figures(msgspec.Struct, frozen=True):
    """What somebody may change of the limits of one scope. None: unlimited."""

    workers: int | None = None
    qps: float | None = None


class ScopeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that a scope has from now on."""

    scope: Scope
    workers: int | None
    qps: float | None
    said: tuple[What, ...]
    """Which of them somebody has changed just now."""
    whole_workers: int | None = None
    """Where `workers` are the part of one process: those of all parts together."""


class Step(NamedTuple):
    """One figure that changes."""

    what: What
    old: float | None
    new: float | None


class ScopeChange(NamedTuple):
    """What changes on one scope."""

    scope: Scope
    steps: tuple[Step, ...]
    after: Figures
    copies: bool
    """Whether each job has a copy of these limits."""

    @property
    def limits(self) -> ScopeLimits:
        """The limits from then on."""
        said: tuple[What, ...] = tuple([step.what for step in self.steps])
        return ScopeLimits(scope=self.scope, workers=self.after.workers, qps=self.after.qps, said=said)

    @property
    def text(self) -> str:
        """What changes, in words: `workers 50 → 40, qps 8 → none`."""
        steps = ", ".join(
            f"{step.what} {figure_text(step.old)} → {figure_text(step.new)}" for step in self.steps
        )
        return f"{steps} for each job" if self.copies else steps


class LimitBook:
    """The limits of all scopes of a run: those of the plan, and those of now."""

    def __init__(
        self,
        setups: Iterable[LaneSetup],
        *,
        parts: Callable[[Scope], int] = lambda scope: 1,
        shared: Callable[[Scope], bool] = lambda scope: False,
    ) -> None:
        """Begin with what the plan says.

        Args:
            setups: the lanes of the run.
            parts: returns over how many engine processes a scope is spread: each has a worker at least, and a rate
                is never split.
            shared: whether other runs count on the plan's limit of a scope.
        """
        self._plan: dict[Scope, Figures] = {}
        self._copies: set[Scope] = set()
        for setup in setups:
            own = Scope("lane", setup.lane.id)
            self._plan[own] = Figures(setup.limits.workers, setup.limits.qps)
            if setup.per == "job":
                self._copies.add(own)
            for outer in setup.outer:
                self._plan[outer.scope] = Figures(outer.limits.workers, outer.limits.qps)
            for scope in outer_scopes(setup.lane):
                self._plan.setdefault(scope, Figures())
        self._now = dict(self._plan)
        self._parts = parts
        self._shared = shared

    def now(self, scope: Scope) -> Figures:
        """Return the limits of a scope now."""
        return self._now[scope]

    def take(self, changes: Iterable[ScopeChange]) -> None:
        """Take note that changes are made."""
        for change in changes:
            self._now[change.scope] = change.after

    def resolve(
        self, tune: Tune, in_force: Mapping[Scope, Figures] | None = None
    ) -> tuple[ScopeChange, ...] | Refused:
        """Return what a wish comes to, one change a scope that has any, or why it cannot be had.

        Args:
            tune: the wish.
            in_force: limits of scopes that are stricter for now than what is noted here.
        """
        scopes = tuple(dict.fromkeys(tune.scopes))
        if not scopes or (tune.workers is None and tune.qps is None):
            return Refused("nothing to change: name a scope, and workers or qps")
        try:
            changes = [self._change(scope, tune, in_force or {}) for scope in scopes]
        except _No as no:
            return Refused(safe_line(str(no), 400))
        found = tuple(change for change in changes if change.steps)
        if found:
            return found
        return Refused(safe_line(f"nothing changes: {self._as_they_are(scopes, tune)}", 400))

    # Inside

    def _change(self, scope: Scope, tune: Tune, in_force: Mapping[Scope, Figures]) -> ScopeChange:
        if scope not in self._plan:
            raise _No(self._unknown(scope))
        plan, own, before = self._plan[scope], self._now[scope], in_force.get(scope, self._now[scope])
        after, steps = own, list[Step]()
        if tune.workers is not None:
            workers = _workers(scope, tune.workers, before.workers, plan.workers, self._parts(scope))
            after = msgspec.structs.replace(after, workers=workers)
            steps.append(Step("workers", before.workers, workers))
        if tune.qps is not None:
            qps = _qps(scope, tune.qps, before.qps, plan.qps, self._parts(scope))
            after = msgspec.structs.replace(after, qps=qps)
            steps.append(Step("qps", before.qps, qps))
        if self._shared(scope):
            self._keep_shared(scope, plan, after)
        moved = tuple(step for step in steps if step.old != step.new)
        return ScopeChange(scope, moved, after, scope in self._copies)

    def _keep_shared(self, scope: Scope, plan: Figures, after: Figures) -> None:
        """Refuse to lift a limit altogether that other runs count on."""
        lifted: list[What] = []
        if plan.qps is not None and after.qps is None:
            lifted.append("qps")
        if plan.workers is not None and after.workers is None and scope.kind != "lane":
            lifted.append("workers")
        if lifted:
            raise _No(
                f"{label(scope)} shares its limit on {' and '.join(lifted)} with other runs: give it a figure"
            )

    def _unknown(self, scope: Scope) -> str:
        known = [one.name for one in self._plan if one.kind == scope.kind]
        return f"no {scope.kind} {scope.name} in this run{meant(scope.name, known)}"

    def _as_they_are(self, scopes: Sequence[Scope], tune: Tune) -> str:
        asked: list[What] = []
        if tune.workers is not None:
            asked.append("workers")
        if tune.qps is not None:
            asked.append("qps")
        told: list[str] = []
        for scope in scopes[:NAMED]:
            now = self._now[scope]
            figures = {"workers": now.workers, "qps": now.qps}
            told.append(
                f"{label(scope)} has {', '.join(f'{what} {figure_text(figures[what])}' for what in asked)}"
            )
        return "; ".join(told) + and_more(len(scopes))


class _No(Exception):  # noqa: N818 - an answer
    """Why a wish cannot be had."""


def _workers(scope: Scope, change: Change, old: int | None, plan: int | None, parts: int) -> int | None:
    if change.op == "reset":
        return plan
    value = change.value
    if value is None and change.op == "=":
        if scope.kind == "lane":
            raise _No(f"{label(scope)}: a lane is never without workers: give their number")
        return None
    if value is None or value != int(value) or not 1 <= value <= MOST_WORKERS:
        raise _No(f"workers: {figure_text(value)} is not a whole number from 1 to {MOST_WORKERS}")
    count = int(value)
    if change.op == "=":
        new = count
    elif old is None:
        raise _No(_nothing_to_move(scope, "workers"))
    else:
        new = old + count if change.op == "+" else max(parts, old - count)
    if new > MOST_WORKERS:
        raise _No(f"{label(scope)}: {new} workers are more than {MOST_WORKERS}")
    if new < parts:
        raise _No(f"{label(scope)} is spread over {parts} engine processes: give it {parts} workers at least")
    return new


def _qps(scope: Scope, change: Change, old: float | None, plan: float | None, parts: int) -> float | None:
    if change.op == "reset":
        return plan
    value = change.value
    if value is None and change.op == "=":
        return None
    if value is None or not LEAST_QPS <= value <= MOST_QPS:
        raise _No(f"qps: {figure_text(value)} is not a number from {LEAST_QPS:g} to {MOST_QPS:.0f}")
    if parts > 1:
        raise _No(
            f"{label(scope)} is spread over {parts} engine processes, and a rate is kept exactly by one only: "
            "start the run with --processes 1, or with a rate in the profile"
        )
    if change.op == "=":
        return value
    if old is None:
        raise _No(_nothing_to_move(scope, "qps"))
    new = old + value if change.op == "+" else max(old - value, min(old, _LEAST_BY_STEPS))
    if new > MOST_QPS:
        raise _No(f"{label(scope)}: {new:g} requests/s are more than {MOST_QPS:.0f}")
    return round(new, 6)


def _nothing_to_move(scope: Scope, what: What) -> str:
    return f"{label(scope)} has no limit on {what} to move: set one with ="


def label(scope: Scope) -> str:
    """Return what a scope is called before people: a lane by its id, any other by kind and name."""
    return scope.name if scope.kind == "lane" else f"{scope.kind} {scope.name}"


def figure_text(value: float | None) -> str:
    """Return a figure as people write it; None: `none`."""
    return "none" if value is None else f"{value:.10g}"


def answer_text(changes: Sequence[ScopeChange]) -> str:
    """Say what was changed: `azure/gpt@key0: workers 50 → 40`, and of many the first ones."""
    told = "; ".join(f"{label(change.scope)}: {change.text}" for change in changes[:NAMED])
    return told + and_more(len(changes))


def and_more(count: int) -> str:
    """Say how many are not named."""
    return f" and {count - NAMED} more" if count > NAMED else ""


def event_of(changes: Sequence[ScopeChange]) -> tuple[str, str]:
    """Return subject and text of the event: all that was changed, what changed alike together."""
    if len(changes) == 1:
        return label(changes[0].scope), f"{changes[0].text}, by hand"
    alike: dict[str, list[str]] = {}
    for change in changes:
        alike.setdefault(change.text, []).append(label(change.scope))
    return "", "by hand: " + "; ".join(f"{text} on {', '.join(names)}" for text, names in alike.items())


def meant(name: str, known: Sequence[str]) -> str:
    """Return what `name` is likely to stand for, or what there is, to be put behind a complaint."""
    close = nearest(name, known)
    if close is not None:
        return f": did you mean {close}?"
    return f"; it has {', '.join(known)}" if known else ""


def unknown_lane(name: str, known: Sequence[str]) -> Refused:
    """Say that a run has no such lane."""
    return Refused(safe_line(f"no lane {name} in this run{meant(name, known)}", 400))
