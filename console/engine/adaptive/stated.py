"""Limits that a server states in its headers, and whether they are per minute as they are taken to be.

`x-ratelimit-limit-requests: 10` names no period. Most servers mean a minute, some a second, and taking the one for
the other would hold a lane at a sixtieth of its rate for good. So it is believed only where its period is named, or
where `x-ratelimit-reset-*` proves a minute: what is used comes back over a minute (a bucket, again and again), or at
the end of a window that is seen to be longer than ten seconds. Else the limit is found as one that nobody states,
which costs half a percent of refusals.
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
_PROOFS: Final = 3
"""Resets in a row that are those of a bucket per minute."""
_LIKE: Final = 0.25
_NEAR_S: Final = 0.02
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s)?)?\Z")


class StatedLimits:
    """What a server states, as far as it can be believed."""

    def __init__(self) -> None:
        self.limit = Limit()
        self._proofs: dict[Name, int] = dict.fromkeys(_NAMES, 0)
        self._texts: tuple[str | None, ...] = ()

    def take(self, result: ChatResult) -> bool:
        """Take in the headers, and the words of a refusal; return whether the believed limits changed."""
        headers = result.rate_headers
        proven = [name for name in _NAMES if headers and self._proves(name, headers)]
        texts = tuple(headers.get(f"x-ratelimit-limit-{name}") for name in _NAMES)
        if not proven and texts == self._texts and result.outcome is Outcome.OK:
            return False
        self._texts = texts
        before = self.limit
        said = stated_limit(result, tuple(name for name in _NAMES if self._believes(name, headers)))
        self.limit = Limit(
            said.requests_per_s or before.requests_per_s, said.tokens_per_s or before.tokens_per_s
        )
        return self.limit != before

    def _believes(self, name: Name, headers: Mapping[str, str]) -> bool:
        named = ";" in headers.get(f"x-ratelimit-limit-{name}", "")
        return named or f"x-ratelimit-renewalperiod-{name}" in headers or self._proofs[name] >= _PROOFS

    def _proves(self, name: Name, headers: Mapping[str, str]) -> bool:
        """Hold a reset against the limit; return whether it has just been proven to be per minute."""
        if self._proofs[name] >= _PROOFS:
            return False
        limit = _number(headers.get(f"x-ratelimit-limit-{name}", ""))
        remaining = _number(headers.get(f"x-ratelimit-remaining-{name}", ""))
        reset_s = duration_s(headers.get(f"x-ratelimit-reset-{name}", ""))
        if not limit or remaining is None or reset_s is None or remaining >= limit:
            return False
        full_in_s = 60.0 * (limit - remaining) / limit
        if reset_s >= _LONG_S:
            self._proofs[name] = _PROOFS
        elif abs(reset_s - full_in_s) <= max(_NEAR_S, _LIKE * full_in_s):
            self._proofs[name] += 1
        else:
            self._proofs[name] = 0
        return self._proofs[name] >= _PROOFS


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
