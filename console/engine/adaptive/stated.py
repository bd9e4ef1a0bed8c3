"""Limits that a server states in its headers, and whether they are per minute as they are taken to be.

`x-ratelimit-limit-requests: 10` names no period. Most servers mean a minute, some a second, and taking the one for
the other would hold a lane at a sixtieth of its rate. `x-ratelimit-reset-*` tells them apart: of a limit per minute,
what is used comes back over a minute (a bucket), or at the minute's end (a window). A limit of which much is used and
that is whole again within moments, time after time, is not per minute: what it says is then left aside, and the limit
is found as one that nobody states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from console.engine.adaptive.signals import Limit, stated_limit
from console.vocabulary.chat import ChatResult
from console.vocabulary.outcome import Outcome

Name = Literal["requests", "tokens"]
_NAMES: Final[tuple[Name, ...]] = ("requests", "tokens")
_LONG_S: Final = 10.0
"""A reset this far away is proof of a period of a minute or so, whatever is seen later."""
_CLEARLY: Final = 0.5
"""Part of the time that a bucket per minute would take to fill, below which a reset speaks against it."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s)?)?\Z")


class StatedLimits:
    """What a server states, as far as it can be believed."""

    def __init__(self) -> None:
        self.limit = Limit()
        self._longest_reset_s: dict[Name, float] = dict.fromkeys(_NAMES, 0.0)
        self._not_per_minute: set[Name] = set()
        self._texts: tuple[str | None, ...] = ()

    def take(self, result: ChatResult) -> bool:
        """Take in the headers, and the words of a refusal; return whether the stated limits changed."""
        headers = result.rate_headers
        doubted = [name for name in _NAMES if headers and self._doubts(name, headers)]
        texts = tuple(headers.get(f"x-ratelimit-limit-{name}") for name in _NAMES)
        if not doubted and texts == self._texts and result.outcome is Outcome.OK:
            return False
        self._texts = texts
        said, before = stated_limit(result), self.limit
        self.limit = Limit(
            None if "requests" in self._not_per_minute else said.requests_per_s or before.requests_per_s,
            None if "tokens" in self._not_per_minute else said.tokens_per_s or before.tokens_per_s,
        )
        return self.limit != before

    def _doubts(self, name: Name, headers: Mapping[str, str]) -> bool:
        """Hold a reset against the limit; return whether it shows only now that the limit is not per minute."""
        text = headers.get(f"x-ratelimit-limit-{name}", "")
        if ";" in text or f"x-ratelimit-renewalperiod-{name}" in headers:
            return False  # it says its period itself
        limit, remaining = _number(text), _number(headers.get(f"x-ratelimit-remaining-{name}", ""))
        reset_s = duration_s(headers.get(f"x-ratelimit-reset-{name}", ""))
        if limit is None or remaining is None or reset_s is None or limit <= 0:
            return False
        self._longest_reset_s[name] = max(self._longest_reset_s[name], reset_s)
        if self._longest_reset_s[name] >= _LONG_S or name in self._not_per_minute:
            return False
        if reset_s < _CLEARLY * 60.0 * (limit - remaining) / limit:
            self._not_per_minute.add(name)
            return True
        return False


def duration_s(text: str) -> float | None:
    """Read `20ms`, `1.5s`, `6m0s`, `7` (seconds); None for anything else."""
    found = _DURATION.match(text.strip()) if text.strip() else None
    if found is None or not any(found.groups()):
        return None
    hours, minutes, number, unit = found.groups()
    seconds = float(number[:12]) if number else 0.0
    if unit == "ms":
        seconds /= 1000
    return 3600.0 * float((hours or "0")[:6]) + 60.0 * float((minutes or "0")[:6]) + seconds


def _number(text: str) -> float | None:
    try:
        value = float(text.split(",")[0])
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None
