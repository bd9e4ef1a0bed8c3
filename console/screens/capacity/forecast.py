"""How long a search takes at most, and how much it sends, before it has begun. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.capacity.ramp import RampSettings
from console.screens.capacity.needs import Prospect, SearchAsked

TOKENS_PER_S: Final = 50.0
"""At which a model is taken to answer."""
_FIRST_TOKEN_S: Final = 0.5
_NARROWING: Final = 5
"""Levels that narrow what bounds the answer: halves of a rung on a logarithmic scale, down to 5 %."""
_REST: Final = 3
"""Both ends once more, and the lowest level again."""
_TARGET_LEVELS: Final = 10
_SCAN_SHARE: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a search comes to."""

    levels: int
    about_s: float
    """Where rungs are decided early, as most are."""
    most_s: float
    most_requests: int
    most_tokens: int
    answer_s: float
    """How long an answer is taken to last."""
    cut_by: str = ""
    """The budget that ends it before, if one does."""


def forecast(asked: SearchAsked, prospect: Prospect) -> Forecast:
    """Return the most that it comes to; what is not known is taken as people would guess."""
    answer_s = _FIRST_TOKEN_S + asked.output_len / TOKENS_PER_S
    subjects = 1 + (len(prospect.lanes) if asked.each and len(prospect.lanes) > 1 else 0)
    if asked.kind == "target":
        levels = _TARGET_LEVELS
        about_s, most_s = levels * asked.level_s, levels * 2 * asked.level_s
        requests = most_s * min(asked.qps or 0.0, prospect.most / answer_s)
    else:
        rungs = RampSettings(most=prospect.most).rungs()
        loads = [*rungs, *([prospect.most] * (_NARROWING + _REST))]
        levels = len(loads)
        about_s = levels * (asked.level_s * _SCAN_SHARE + answer_s)
        most_s = levels * (asked.level_s + answer_s)
        requests = sum(loads) * asked.level_s / answer_s
    if prospect.qps_bound is not None:
        requests = min(requests, prospect.qps_bound * most_s)
    made = Forecast(
        subjects * levels,
        subjects * about_s,
        subjects * most_s,
        round(subjects * requests),
        round(subjects * requests) * (asked.input_len + asked.output_len),
        answer_s,
    )
    return _within(made, asked)


def _within(made: Forecast, asked: SearchAsked) -> Forecast:
    """Leave out what a budget does not let happen; the tightest is named."""
    shares = {
        "seconds": 1.0 if asked.budget_s is None else asked.budget_s / made.most_s,
        "requests": 1.0
        if asked.budget_requests is None
        else asked.budget_requests / max(1, made.most_requests),
        "tokens": 1.0 if asked.budget_tokens is None else asked.budget_tokens / max(1, made.most_tokens),
    }
    name = min(shares, key=lambda one: shares[one])
    if shares[name] >= 1:
        return made
    requests = min(made.most_requests, asked.budget_requests or made.most_requests)
    tokens = min(made.most_tokens, requests * (asked.input_len + asked.output_len))
    return Forecast(
        made.levels,
        min(made.about_s, asked.budget_s or made.about_s),
        min(made.most_s, asked.budget_s or made.most_s),
        requests,
        min(tokens, asked.budget_tokens or tokens),
        made.answer_s,
        name,
    )
