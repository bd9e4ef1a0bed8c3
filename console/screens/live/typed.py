"""Limits typed as words, such as `workers 40 qps 8`, and the command that they are for a selection. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.screens.live.lanes import Picked, binding_scope, passing, scope_of
from console.screens.live.steps import Tuning, reach_text, scope_text
from console.vocabulary.command import Change, Tune
from console.vocabulary.lane import Scope, ScopeKind
from console.vocabulary.snapshot import LaneView
from widgets.lane_selection import SelectionKind

EXAMPLE: Final = "workers 40 qps 8 · workers +5 · qps none · reset"
_NAMES: Final = {"workers": "workers", "worker": "workers", "w": "workers", "qps": "qps", "q": "qps"}
_RESET: Final = Change("reset")
_OWN_GATE: Final[dict[SelectionKind, ScopeKind]] = {
    "cell": "lane",
    "row": "deployment",
    "family": "model",
    "group": "provider",
    "column": "key",
    "all": "provider",
}
"""Where a limit is put that no gate has yet."""


class UnclearError(ValueError):
    """What was typed says no change; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of the limits."""

    workers: Change | None = None
    qps: Change | None = None


def parse_wish(text: str) -> Wish:
    """Read what was typed.

    Raises:
        UnclearError: with the reason in words.
    """
    words = re.sub(r"\s*[=:]\s*", " ", text.casefold()).split()
    if not words:
        raise UnclearError(EXAMPLE)
    if words == ["reset"]:
        return Wish(_RESET, _RESET)
    if len(words) == 1 and words[0] not in _NAMES:
        words = ["workers", *words]
    found: dict[str, Change] = {}
    while words:
        name = _NAMES.get(words[0])
        if name is None:
            raise UnclearError(f"`{words[0]}` is neither workers nor qps")
        if len(words) == 1:
            raise UnclearError(f"{name}: a figure, +5, -5, none or reset")
        if name in found:
            raise UnclearError(f"{name} is said twice")
        found[name] = _change(name, words[1])
        words = words[2:]
    return Wish(found.get("workers"), found.get("qps"))


def _change(name: str, word: str) -> Change:
    if word in ("none", "unlimited"):
        return Change("=")
    if word == "reset":
        return _RESET
    op, digits = (word[0], word[1:]) if word[0] in "+-" else ("=", word)
    try:
        value = float(digits)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (digits[:1] in ("+", "-")):
        raise UnclearError(f"{name}: `{word}` is not a figure")
    if name == "workers" and (value != int(value) or value < 1):
        raise UnclearError("workers: a whole number from 1 on")
    if value <= 0:
        raise UnclearError("qps: more than 0; o switches off, space pauses")
    return Change("+" if op == "+" else "-" if op == "-" else "=", value)


def tunings_of(
    wish: Wish, chosen: Picked, lanes: Sequence[LaneView], touched: Sequence[Scope] = ()
) -> tuple[Tuning, ...]:
    """Return the commands for a wish: one, or two where workers and QPS are limited at different places.

    Workers go to each lane, QPS to the gates that bind the selection; where none does, a limit is put on what is
    selected. A reset also takes back the gates of the selection that were changed from here.

    Args:
        wish: what was typed.
        chosen: what is picked.
        lanes: all of the run, to tell which others pass the same gate.
        touched: gates that were changed from this console.
    """
    own = [scope_of(lane, "lane") for lane in chosen.lanes]
    gates = qps_scopes(chosen)
    if wish.qps == _RESET:
        gates += [scope for scope in touched if scope not in gates and passing(chosen.lanes, scope)]
    if wish.workers == wish.qps == _RESET:
        scopes = tuple(dict.fromkeys((*own, *gates)))
        others = [scope for scope in gates if scope not in own]
        also = f", and {', '.join(map(scope_text, others))}" if others else ""
        text = f"{chosen.label}: limits as in the profile{also}"
        return (Tuning(_tune(wish, scopes), text, _expected(wish, chosen, lanes, gates)),)
    if wish.workers is not None and wish.qps is not None and set(gates) != set(own):
        return (
            *tunings_of(Wish(workers=wish.workers), chosen, lanes, touched),
            *tunings_of(Wish(qps=wish.qps), chosen, lanes, touched),
        )
    command = _tune(wish, tuple(own if wish.workers is not None else gates))
    reach = "" if wish.qps is None else reach_text(gates, lanes)
    text, expected = _text(wish, chosen, gates, reach), _expected(wish, chosen, lanes, gates)
    return (Tuning(command, text, expected, reach),)


def _tune(wish: Wish, scopes: tuple[Scope, ...]) -> Tune:
    return Tune(scopes=scopes, workers=wish.workers, qps=wish.qps)


def qps_scopes(chosen: Picked) -> list[Scope]:
    """Return the gates that bind a selection, or where a limit on it belongs if there is none."""
    binding = [scope for lane in chosen.lanes if (scope := binding_scope(lane)) is not None]
    wanted = binding or [scope_of(lane, _OWN_GATE[chosen.kind]) for lane in chosen.lanes]
    return list(dict.fromkeys(wanted))


def _text(wish: Wish, chosen: Picked, gates: Sequence[Scope], reach: str) -> str:
    parts: list[str] = []
    if wish.workers is not None:
        parts.append(f"{chosen.label}: workers {_change_text(wish.workers)}")
    if wish.qps is not None:
        where = scope_text(gates[0]) if len(gates) == 1 else f"{len(gates)} gates"
        parts.append(f"{where}: QPS {_change_text(wish.qps)}{reach}")
    return " · ".join(parts)


def _change_text(change: Change) -> str:
    if change.op == "reset":
        return "as in the profile"
    if change.value is None:
        return "unlimited"
    return f"{'' if change.op == '=' else change.op}{change.value:g}"


def _expected(
    wish: Wish, chosen: Picked, lanes: Sequence[LaneView], gates: Sequence[Scope]
) -> dict[str, dict[str, object]]:
    expected: dict[str, dict[str, object]] = {}
    for lane in chosen.lanes:
        if wish.workers is not None:
            workers = _after(wish.workers, lane.workers, lane.profile_workers)
            expected.setdefault(lane.lane_id, {})["workers"] = None if workers is None else int(workers)
    if wish.qps is not None and wish.qps.op != "reset":
        for gate in gates:
            for lane in passing(lanes, gate):
                if binding_scope(lane) == gate:
                    qps = _after(wish.qps, lane.most_qps, None)
                    fields = expected.setdefault(lane.lane_id, {})
                    fields["most_qps"] = qps
                    if gate.kind == "lane":
                        fields["qps"] = qps
    return expected


def _after(change: Change, now: float | None, profile: float | None) -> float | None:
    match change.op:
        case "=":
            return change.value
        case "reset":
            return profile
        case "+":
            return None if now is None else now + (change.value or 0)
        case "-":
            return None if now is None else max(1, now - (change.value or 0))
