"""What one small request on a lane showed: whether its key and its deployment answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from console.vocabulary.lane import Lane

ProbeState = Literal[
    "answers",
    "rate_limited",
    "key_refused",
    "no_deployment",
    "quota_used_up",
    "timeout",
    "no_server",
    "no_url",
    "no_key",
    "failed",
    "not_reached",
]
"""rate_limited: key and deployment are right, and busy. no_key, no_url: the secret or the base URL is not there, nothing was sent.
not_reached: the time was over before it was its turn."""
STATE_WORDS: Final[Mapping[ProbeState, str]] = {
    "answers": "answers",
    "rate_limited": "alive, busy",
    "key_refused": "KEY REFUSED",
    "no_deployment": "NO SUCH DEPLOYMENT",
    "quota_used_up": "QUOTA USED UP",
    "timeout": "TIMEOUT",
    "no_server": "NO SERVER",
    "no_url": "NO BASE URL",
    "no_key": "NO KEY",
    "failed": "FAILED",
    "not_reached": "NOT REACHED",
}
"""For people, as short as a column of a table wants them."""
ALIVE: Final[frozenset[ProbeState]] = frozenset({"answers", "rate_limited"})


class Probed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One lane."""

    lane: Lane
    state: ProbeState
    text: str = ""
    """What went wrong, the server's own words included, made safe for a terminal; no key is in it."""
    status: int | None = None
    ttft_ms: float | None = None
    key_source: str = ""
    """Where the key is found, such as `env:LAB_KEY_2`."""
    simulated: bool = False

    @property
    def alive(self) -> bool:
        """Whether key and deployment answer."""
        return self.state in ALIVE
