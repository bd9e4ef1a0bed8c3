"""Limits: whether they hold before a real server, and how much of them is used."""

from __future__ import annotations

from benchmarks import limits_adaptive, limits_fixed, limits_pacing, limits_shared
from benchmarks.report import OTHERS, Part
from benchmarks.serving import Serving


def run(server: Serving, *, rounds: int, quick: bool) -> Part:
    """Pace one lane, keep fixed limits, share a key between two runs, and find hidden limits."""
    part = Part("limits")
    part.say(
        "The law of a rate: in every window w, of any length, at most rate × w + 1 sends. Its worst window is looked for "
        "among all; not over 0 is kept.",
        f"others %: {OTHERS} What is sent late is lost to a rate that allows no burst.",
    )
    limits_pacing.run(server, part, rounds=rounds, seconds=2 if quick else 4)
    limits_fixed.run(part, seconds=12 if quick else 40)
    limits_shared.run(part, seconds=10 if quick else 30)
    limits_adaptive.run(part, seconds=90 if quick else 180)
    return part
