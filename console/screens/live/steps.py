"""How far one key moves a limit, and the one command that a selection's keys become. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from console.screens.live.lanes import Picked, binding_scope, lanes_text, passing, safe, scope_of
from console.vocabulary.command import Adapt, Change, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.snapshot import LaneView

Figure = Literal["workers", "qps"]
FINE_BELOW: Final = 20
"""Below it a step is 1, from it on a tenth."""
LEAST_QPS: Final = 0.1
STEPS: Final = f"steps: 1 below {FINE_BELOW}, 10 % above"


@dataclass(frozen=True, slots=True)
class Tuning:
    """One command that changes limits, what it says, and what lanes are expected to show after it."""

    command: Tune | Adapt
    text: str
    expected: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])
    """Lane id → fields of its view."""
    reach: str = ""
    """How many lanes a gate is for, `, 5 lanes`: engines do not say."""


def workers_after(now: int, presses: int) -> int:
    """Return the workers after so many presses of `+` (or `-`, below 0); one is the least."""
    for _ in range(abs(presses)):
        step = 1 if now < FINE_BELOW or (presses < 0 and now == FINE_BELOW) else max(1, round(now / 10))
        now = max(1, now + step if presses > 0 else now - step)
    return now


def qps_after(now: float, presses: int) -> float:
    """Return the requests per second after so many presses; below 1 a step is a tenth of a request."""
    for _ in range(abs(presses)):
        down = presses < 0
        if now < 1 or (down and now <= 1):
            step = 0.1
        elif now < FINE_BELOW or (down and now == FINE_BELOW):
            step = 1.0
        else:
            step = now / 10
        now = now - step if down else now + step
        now = max(LEAST_QPS, float(f"{now:.3g}"))
    return now


def move_workers(chosen: Picked, presses: int) -> Tuning | str:
    """Return the command that moves the workers of lanes by a few steps, or why there is none.

    Lanes of different size move by the same: the step of the smallest that can move.
    """
    limits = [(lane, lane.workers) for lane in chosen.lanes if lane.workers is not None]
    if not limits:
        return f"{chosen.label}: no worker limit; = sets one"
    if presses < 0:
        limits = [(lane, now) for lane, now in limits if now > 1]
        if not limits:
            return f"{chosen.label}: 1 worker is the least; o switches it off"
    least = min(now for _, now in limits)
    delta = workers_after(least, presses) - least
    change = Change("+" if delta > 0 else "-", abs(delta))
    if len({now for _, now in limits}) == 1:
        text = f"{_of(chosen, limits)}: {least} → {least + delta} workers{' each' if len(limits) > 1 else ''}"
    else:
        text = f"{lanes_text(len(limits))}: {delta:+} workers each, the step of the smallest ({least})"
    scopes = tuple(scope_of(lane, "lane") for lane, _ in limits)
    expected: dict[str, dict[str, object]] = {lane.lane_id: {"workers": now + delta} for lane, now in limits}
    return Tuning(Tune(scopes=scopes, workers=change), text, expected)


def move_qps(chosen: Picked, lanes: Sequence[LaneView], presses: int) -> Tuning | str:
    """Return the command that moves the gates which bind a selection, or why there is none.

    Args:
        chosen: what is picked.
        lanes: all of the run, to tell which others pass the same gate.
        presses: steps up, or down below 0.
    """
    found = [lane for lane in chosen.lanes if lane.adaptive and lane.qps_scope == "lane"]
    gates = binding_gates([lane for lane in chosen.lanes if lane not in found])
    if not gates:
        if found:
            return f"{chosen.label}: adaptive mode finds its QPS; a holds it, = sets a ceiling"
        return f"{chosen.label}: no QPS limit binds it; = sets one"
    if presses < 0:
        gates = {scope: now for scope, now in gates.items() if now > LEAST_QPS}
        if not gates:
            return f"{chosen.label}: {LEAST_QPS:g} QPS is the least by key; = sets less"
    least = min(gates.values())
    delta = round(qps_after(least, presses) - least, 6)
    change = Change("+" if delta > 0 else "-", abs(delta))
    reach = reach_text(gates, lanes)
    if len(gates) == 1:
        (scope,) = gates
        text = f"{scope_text(scope)}: {least:.4g} → {least + delta:.4g} QPS{reach}"
    else:
        text = f"{len(gates)} {_kinds(gates)}: {delta:+.4g} QPS each{reach}"
    expected: dict[str, dict[str, object]] = {
        lane.lane_id: {"most_qps": round(now + delta, 6), "qps": _own_qps(lane, scope, now + delta)}
        for scope, now in gates.items()
        for lane in passing(lanes, scope)
        if binding_scope(lane) == scope
    }
    return Tuning(Tune(scopes=tuple(gates), qps=change), text, expected, reach)


def binding_gates(lanes: Sequence[LaneView]) -> dict[Scope, float]:
    """Return the gates that bind lanes, and how much each lets through per second."""
    gates: dict[Scope, float] = {}
    for lane in lanes:
        scope = binding_scope(lane)
        if scope is not None and lane.most_qps is not None:
            gates[scope] = lane.most_qps
    return gates


def reach_text(gates: Iterable[Scope], lanes: Sequence[LaneView]) -> str:
    """Say how many lanes pass gates, `, 5 lanes`; nothing where the gates are the lanes' own."""
    shared = [scope for scope in gates if scope.kind != "lane"]
    return f", {lanes_text(sum(len(passing(lanes, scope)) for scope in shared))}" if shared else ""


def scope_text(scope: Scope) -> str:
    """Write a scope for people: `key ideallab/key0`; a lane is called by its id alone."""
    return safe(scope.name) if scope.kind == "lane" else f"{scope.kind} {safe(scope.name)}"


def _own_qps(lane: LaneView, scope: Scope, now: float) -> float | None:
    return round(now, 6) if scope.kind == "lane" else lane.qps


def _of(chosen: Picked, limits: Sequence[tuple[LaneView, int]]) -> str:
    return chosen.label if len(limits) == len(chosen.lanes) else lanes_text(len(limits))


def _kinds(gates: dict[Scope, float]) -> str:
    kinds = {scope.kind for scope in gates}
    return f"{kinds.pop()}s" if len(kinds) == 1 else "gates"
