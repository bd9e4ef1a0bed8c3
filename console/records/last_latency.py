"""What answers took in the last run of a profile, lane by lane."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from console.records.run_file import SUMMARY_FILE, read_run_head
from console.records.run_list import find_runs_in
from console.vocabulary.errors import ConsoleError

_RUNS: Final = 20
"""Newest runs that are looked through."""
_ENOUGH: Final = 5
"""Answers of a lane from which a mean is taken."""


class LastLatency(msgspec.Struct, frozen=True):
    """Means of one run."""

    run_id: str
    seconds: dict[str, float]
    """Lane id → mean time from sending to the last content."""


class _Latency(msgspec.Struct):
    n: int = 0
    mean_ms: float | None = None


class _Lane(msgspec.Struct):
    name: str
    e2e: _Latency = msgspec.field(default_factory=_Latency)


class _Summary(msgspec.Struct):
    per_lane: list[_Lane] = []


def last_latency(home: Path, profile: str) -> LastLatency | None:
    """Return the means of the newest summarised run of a profile in `home`; None where there is none.

    Run ids begin with their time, so the last names are the newest; what cannot be read is passed over.
    """
    for name in reversed(find_runs_in(home)[-_RUNS:]):
        try:
            if read_run_head(home / name).profile != profile:
                continue
            summary = msgspec.json.decode((home / name / SUMMARY_FILE).read_bytes(), type=_Summary)
        except (ConsoleError, OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
        seconds = {
            lane.name: lane.e2e.mean_ms / 1000
            for lane in summary.per_lane
            if lane.e2e.n >= _ENOUGH and lane.e2e.mean_ms
        }
        if seconds:
            return LastLatency(name, seconds)
    return None
