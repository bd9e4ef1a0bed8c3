"""The plan: what a run does, as it is shown before and enforced during it (law 1)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from console.vocabulary.chat import Timeouts
from console.vocabulary.lane import LaneSetup, LeaseRule


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """The part of one job that runs on one lane."""

    lane_id: str
    delay_s: float = 0.0
    """After the job's start."""
    tests: tuple[str, ...] | None = None
    """Its own test ids (even split), or None: it pulls from the job's queue."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One combination of a phase's axes that starts as a unit."""

    id: str
    """`5.1/DeepSeek-V3-0324/easy/optimal`."""
    phase: str
    model: str
    provider: str
    difficulty: str
    group: str
    """Name of the prompt group; the prompt type itself where there are no groups."""
    rate: str
    prompt_types: tuple[str, ...]
    tests: tuple[str, ...]
    reused: int = 0
    """Tests of its combination whose results come from elsewhere; where from is in `Plan.phases`."""
    reused_tests: tuple[str, ...] = ()
    """Which ones, so that a report finds the results of a phase wherever they come from."""
    turns: float = 1.0
    """Requests that a test of it is expected to take, one after another."""
    shards: tuple[Shard, ...]
    before: tuple[int, ...] = ()
    """Indices of the jobs that must be done first."""
    stagger_s: float = 0.0
    lease: tuple[str, ...] | None = None
    """Keys, as `provider/key`, of which it holds one at a time, the one preferred first; its shards on other keys
    stay closed. None: it leases none, and all its shards are open."""


class PhaseCount(msgspec.Struct, frozen=True, kw_only=True):
    """What one phase of a plan comes to."""

    phase: str
    jobs: int
    new: int
    """Tests that are played for it."""
    reused: dict[str, int] = {}
    """Where results of further tests come from, a phase of this run or `run ID`, and how many."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the engine needs to run phases."""

    title: str
    profile: str
    rate_mode: Literal["fixed", "adaptive"]
    seed: int
    lanes: tuple[LaneSetup, ...]
    jobs: tuple[Job, ...]
    timeouts: Timeouts
    attempts: int
    """Tries of one request, the first included."""
    simulated: bool = False
    warnings: tuple[str, ...] = ()
    leases: dict[str, LeaseRule] = {}
    """Of each key that a job may lease: who may hold it at once."""
    notes: tuple[str, ...] = ()
    """What is to be known of it and is no fault: what is reused, what is left out."""
    phases: tuple[PhaseCount, ...] = ()
    library: str = ""
    """Version of the task library; empty: an old plan, which does not say."""
    protocols: dict[str, str] = {}
    """Model → the protocol that it is spoken to in, where it is not `tools`."""
    max_tokens: dict[str, int] = {}
    """Model → the greatest length of a reply, where the profile says so."""
    scoring: dict[str, Any] = {}
    """The scoring presets that results are marked by."""

    @property
    def planned(self) -> int:
        """Tests to run."""
        return sum(len(job.tests) for job in self.jobs)

    def lanes_of_shard(self, number: int | None) -> frozenset[str]:
        """Return the lanes of the n-th shard of every job, from 1; 0: of all shards; None: no lane."""
        if number is None:
            return frozenset()
        return frozenset(
            shard.lane_id for job in self.jobs for at, shard in enumerate(job.shards, 1) if number in (0, at)
        )

    @property
    def requests(self) -> float:
        """Requests that its tests are expected to take, retries left out."""
        return sum(len(job.tests) * job.turns for job in self.jobs)
