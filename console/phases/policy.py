"""Policies: how the jobs of a phase share keys and time. One vocabulary for phase files and the command line.

as-is           keys as the profile's `split` says, order as the phase says
serial          every job after the one before (plan A)
batches-of-N    at most N models at once, each on a key of its own, batch after batch (plan B)
key-pool        every job leases one key at a time out of those of its model (plan C)
groups-spread   the groups of one model side by side on different keys
groups-serial   the groups of one model in series everywhere
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from pydantic import BeforeValidator

from console.profile.form import expecting

PolicyKind = Literal["as-is", "serial", "batches-of", "key-pool", "groups-spread", "groups-serial"]
IN_SERIES: Final[tuple[PolicyKind, ...]] = ("serial", "batches-of", "groups-serial")
"""Policies that hold jobs back by themselves, which `--ultra-parallel` contradicts."""
POLICY_NAMES: Final = ("as-is", "serial", "batches-of-N", "key-pool", "groups-spread", "groups-serial")
POLICIES_TEXT: Final = f"{', '.join(POLICY_NAMES[:-1])} or {POLICY_NAMES[-1]}"
BATCH_HINT: Final = "N is a whole number ≥ 1, such as batches-of-3"
_BATCHES: Final = re.compile(r"batches-of-([1-9][0-9]{0,5})")


COMPARED: Final = ("as-is", "serial", "batches-of-3", "key-pool")
"""Policies that are worth comparing for any phase."""
COMPARED_GROUPS: Final = ("groups-spread", "groups-serial")
"""Those that differ from them only where a phase has groups."""


class Policy(msgspec.Struct, frozen=True):
    """A policy as it was read."""

    kind: PolicyKind
    size: int = 0
    """Models in a batch."""


def parse_policy(text: str) -> Policy:
    """Read a policy.

    Raises:
        ValueError: if it is none.
    """
    match text:
        case "as-is" | "serial" | "key-pool" | "groups-spread" | "groups-serial":
            return Policy(text)
        case _:
            found = _BATCHES.fullmatch(text)
            if found is None:
                raise ValueError("policy")
            return Policy("batches-of", int(found[1]))


def _policy_text(text: str) -> str:
    parse_policy(text)
    return text


PolicyText = Annotated[
    str,
    BeforeValidator(lambda value: _policy_text(value) if isinstance(value, str) else value),
    expecting(POLICIES_TEXT),
]
"""A policy in a phase file."""
