"""Which of several rehearsed plans to choose: the quickest that breaks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from console.rehearsal.compare import Compared, Comparison
from console.rehearsal.spans_text import span_text

SHARES_A_KEY: Final = frozenset({"shared-key", "groups-one-key"})
"""Findings of preflight that say: several jobs use at once a key that is scarce, and none leases it."""
_ADAPTIVE_SHARE: Final = 0.01
"""Of requests that may be refused where adaptive mode looks for the limit: that is how it finds it."""


def with_choice(comparison: Comparison) -> Comparison:
    """Return the comparison with the plan to choose in it, and why."""
    if comparison.interrupted or not comparison.plans:
        return comparison
    plans = comparison.plans
    sound = [one for one in plans if not breaks(one)]
    best = min(sound, key=_cost) if sound else min(plans, key=lambda one: (*_harm(one), *_cost(one)))
    return msgspec.structs.replace(comparison, choose=best.name, why=_why(best, plans))


def breaks(one: Compared) -> tuple[str, ...]:
    """Say what a plan breaks, each as what follows `with`; empty: nothing.

    That is tests without an answer, refused requests, and keys that several jobs use at once.
    """
    rehearsal = one.rehearsal
    sent = sum(rehearsal.requests.values())
    accepted = _ADAPTIVE_SHARE * sent if rehearsal.rate_mode == "adaptive" else 0
    said: list[str] = []
    if rehearsal.unanswered:
        said.append(f"{rehearsal.unanswered} tests without an answer")
    if rehearsal.rate_limited > accepted:
        said.append(f"{rehearsal.rate_limited} requests answered 429")
    if SHARES_A_KEY.intersection(one.warnings):
        most = max((load.models_at_once for load in rehearsal.keys), default=0)
        said.append(f"{most} models on a key at once" if most > 1 else "several jobs on a key at once")
    return tuple(said)


def _cost(one: Compared) -> tuple[float, int]:
    return one.rehearsal.duration_s, len(one.warnings)


def _harm(one: Compared) -> tuple[int, int, int]:
    return one.rehearsal.unanswered, one.rehearsal.rate_limited, len(breaks(one))


def _why(best: Compared, plans: Sequence[Compared]) -> str:
    took = span_text(best.rehearsal.duration_s)
    if broken := breaks(best):
        return f"choose {best.name}: {took}; every policy breaks something, this one least, with {_listed(broken)}"
    alone = len(plans) == 1
    text = f"choose {best.name}: {took}{'' if alone else ', the quickest that breaks nothing'}"
    if (found := best.rehearsal.rate_limited) and not alone:
        text += f" ({found} requests answered 429 while it finds the limits)"
    quicker = min(
        (one for one in plans if _cost(one) < _cost(best)),
        key=lambda one: one.rehearsal.duration_s,
        default=None,
    )
    if quicker is None:
        return text
    return f"{text}; {quicker.name} takes {span_text(quicker.rehearsal.duration_s)}, with {_listed(breaks(quicker))}"


def _listed(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
