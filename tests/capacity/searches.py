"""Whole searches on servers of known behaviour, as their results: what reports are made of."""

from __future__ import annotations

from functools import cache

import msgspec
from queueing import Server, play

from console.capacity.ramp import RampSettings
from console.capacity.ramp_search import RampSearch
from console.capacity.rules import RuleSettings
from console.capacity.search_result import SearchResult
from console.vocabulary.level import LevelOutcome

HOSTILE = '</text></svg></style><script>alert("1")</script><img src=x onerror=go()>\x1b[31m'


@cache
def searched(kind: str) -> SearchResult:
    """Return the result of a ramp on a server with 37 slots, one without a limit, and so on."""
    server = {
        "slots": Server(slots=37),
        "refuses": Server(slots=37, rejects=True),
        "unlimited": Server(slots=None),
        "cliff": Server(slots=None, cliff=60),
        "quota": Server(slots=None, quota=30),
        "drift": Server(slots=37, drift_per_s=0.004),
        "slow": Server(slots=5, ttft_ms=3000),
    }[kind]
    search = RampSearch(RampSettings(), RuleSettings())
    levels = play(search, server)
    return result_of(tuple(levels), search.answer(levels))


def result_of(levels: tuple[LevelOutcome, ...], *answers, **changes) -> SearchResult:
    return msgspec.structs.replace(
        SearchResult(
            run_id="20261126-000000-search-sim", model="m", kind="ramp", simulated=True, state="finished",
            answers=answers, levels=levels,
        ),
        **changes,
    )  # fmt: skip
