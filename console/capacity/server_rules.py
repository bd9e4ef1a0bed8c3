"""Whether the server says of itself that its resources are used up: the fourth stop rule of seed 004."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from console.vocabulary.level import RuleOutcome

WAITING_MAY_GROW: Final = 1.0
"""Requests by which its queue may be longer at the end of the window than at its start."""


def resources(server: Mapping[str, float], *, max_cache: float, seconds: float) -> RuleOutcome:
    """Judge what a server said in a window of `seconds`.

    It is told and not sampled, so there is no interval: the rule fails or passes.

    Args:
        server: as `ServerWatch.window` returns it; what it does not tell is absent.
        max_cache: share of the cache from which on it is used up.
        seconds: length of the window.
    """
    cache, preemptions = server.get("kv_cache_max"), server.get("preemptions")
    grown = None if (slope := server.get("waiting_slope_per_s")) is None else slope * seconds
    told: list[str] = []
    beyond: list[bool] = []
    if cache is not None:
        told.append(f"KV cache {100 * cache:.0f} %")
        beyond.append(cache >= max_cache)
    if grown is not None:
        told.append(f"waiting {grown:+.0f}")
        beyond.append(server.get("waiting_grows", 0.0) > 0 and grown > WAITING_MAY_GROW)
    if preemptions is not None:
        told.append(f"preemptions {preemptions:.0f}")
        beyond.append(preemptions > 0)
    return RuleOutcome(
        rule="resources",
        state="fail" if any(beyond) else "pass",
        limit=f"KV cache < {100 * max_cache:.0f} %, no growing queue, no preemptions",
        measured=", ".join(told) or "nothing of these is told",
        margin=None if cache is None else (max_cache - cache) / max_cache,
    )
