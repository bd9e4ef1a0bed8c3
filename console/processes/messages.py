"""What the coordinator of a run and its engine processes say to each other: one JSON line each over a socket pair.

Only parent and child hold the two ends, so a credential may pass here; it is written nowhere.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from console.engine.limit_book import ScopeLimits
from console.engine.link import Prompt
from console.phases.plan import Plan
from console.vocabulary.chat import Api, Endpoint, Timeouts
from console.vocabulary.command import Adapt, Drain, Pause, Resume, Stop, Switch
from console.vocabulary.inspection import GateView, LaneDetail
from console.vocabulary.lane import Lane, LaneSetup
from console.vocabulary.learnt import Learnt
from console.vocabulary.log_buckets import Counts
from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret
from console.vocabulary.snapshot import EventView, Snapshot
from console.vocabulary.trace import Traces

MAX_LINE_BYTES = 256 * 1024 * 1024
"""A line may hold a hundred prompts of a long context, or the tests of a plan that are dealt beforehand."""


class PartEndpoint(msgspec.Struct, frozen=True):
    """An endpoint whose credential can be sent."""

    api: Api
    base_url: str
    deployment: str
    api_version: str | None
    credential: str | None
    source: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> PartEndpoint:
        """Take an endpoint apart."""
        secret = endpoint.secret
        return cls(
            endpoint.api,
            endpoint.base_url,
            endpoint.deployment,
            endpoint.api_version,
            None if secret is None else secret.reveal(),
            "" if secret is None else secret.source,
        )

    def endpoint(self) -> Endpoint:
        """Put it together again."""
        return Endpoint(
            api=self.api,
            base_url=self.base_url,
            deployment=self.deployment,
            api_version=self.api_version,
            secret=None if self.credential is None else Secret(self.credential, self.source),
        )

    def __repr__(self) -> str:
        return f"PartEndpoint({self.base_url}, {self.deployment})"


# To a process


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="begin"):
    """First line: what this process is."""

    process: int
    """Its number; 0 is the coordinator."""
    run_id: str
    run_dir: str
    wall: str
    """Of the run's start, which all rows count from."""
    start_ns: int
    """The same on the monotonic clock, which all processes of a machine share."""
    endpoints: dict[str, PartEndpoint]
    """By lane id."""
    own_lanes: tuple[str, ...] = ()
    """Lanes of simulators of this run's own, which nobody else can reach."""
    timeouts: Timeouts
    plan: Plan | None = None
    """Its part of a plan: all jobs, with its own lanes, and of the tests only those that are dealt to these lanes."""
    level: PartOfLevel | None = None
    """Or its part of a level of load."""
    learnt: dict[str, Learnt] = {}
    """By lane id, what is known of limits that adaptive mode finds."""
    traces: Traces = "none"
    """What it keeps of what is said in tests."""
    told_lanes: tuple[str, ...] = ()
    """Lanes of it whose requests are told in a log of its own."""


class PartOfLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a level of load."""

    max_concurrency: int
    open_loop: bool
    lanes: tuple[LaneSetup, ...]


class StartJob(msgspec.Struct, frozen=True, tag="start_job"):
    """Let the shards of a job have workers; again, where its key served no more and it has another one."""

    job: int
    """Index in the plan."""
    key: str | None = None
    """The key that it leases: only shards on it are opened."""
    stint: int = 0
    """How often the process had been told so before; what it says of the job bears it."""


class LeaveKey(msgspec.Struct, frozen=True, tag="leave_key"):
    """A job has lost its key, and sends nothing on it any more: give its tests back."""

    job: int


class Deal(msgspec.Struct, frozen=True, tag="deal"):
    """Tests of a job to play."""

    job: int
    tests: tuple[str, ...]
    attempts: dict[str, int] = {}
    """Attempts that other processes made of them."""


class CloseJob(msgspec.Struct, frozen=True, tag="close_job"):
    """No further test of a job comes."""

    job: int


class DealPrompts(msgspec.Struct, frozen=True, tag="deal_prompts"):
    """Prompts to send."""

    prompts: tuple[Prompt, ...]


class ClosePrompts(msgspec.Struct, frozen=True, tag="close_prompts"):
    """No further prompt comes."""


class HoldLane(msgspec.Struct, frozen=True, tag="hold_lane"):
    """Another process was asked to wait on a lane; said in both directions."""

    lane_id: str
    seconds: float


class LaneIsOff(msgspec.Struct, frozen=True, tag="lane_is_off"):
    """A lane was switched off by another process; said in both directions."""

    lane: Lane
    outcome: Outcome
    reason: str


class SetLimits(msgspec.Struct, frozen=True, tag="set_limits"):
    """Limits that scopes have from now on: this process's part of them."""

    limits: tuple[ScopeLimits, ...]


class AskAboutLane(msgspec.Struct, frozen=True, tag="ask_about_lane"):
    """Ask for one lane in full, and for the gates here that it would pass."""

    lane: Lane


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """Ask for a picture."""


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """Everything is done: end in order."""


ToPart = (
    Begin
    | StartJob
    | LeaveKey
    | Deal
    | CloseJob
    | DealPrompts
    | ClosePrompts
    | HoldLane
    | LaneIsOff
    | AskAboutLane
    | SetLimits
    | Picture
    | Finish
    | Pause
    | Resume
    | Drain
    | Stop
    | Switch
    | Adapt
)


# From a process


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """It has opened its journal and takes work."""


class Segment(msgspec.Struct, frozen=True, tag="segment"):
    """It writes into a new segment."""

    name: str


class Want(msgspec.Struct, frozen=True, tag="want"):
    """It takes tests of a job, or prompts of a level (job 0), until so many have come in all."""

    job: int
    now: int
    """With work for everybody who is idle."""
    ahead: int
    """And with some at hand besides."""
    stint: int = 0


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Tests with a verdict that stands, in the order of their rows."""

    job: int
    tests: tuple[str, ...]
    answered: tuple[bool, ...]
    duration_ns: tuple[int, ...]


class JobEnded(msgspec.Struct, frozen=True, tag="job_ended"):
    """It plays no further test of a job, unless it was told to anew meanwhile; those that it could not play go back."""

    job: int
    returned: tuple[str, ...]
    attempts: dict[str, int]
    stint: int = 0


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Something happened that a watcher is to see; it is in the process's journal."""

    event: EventView


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    """Its picture, and what merging needs besides."""

    snapshot: Snapshot
    ttft: dict[str, Counts]
    """TTFT of each lane in logarithmic buckets."""
    learnt: dict[str, Learnt] = {}
    """By lane id, what adaptive mode has found."""


class AboutLane(msgspec.Struct, frozen=True, tag="about_lane"):
    """One lane in full, as far as it is here."""

    lane_id: str
    detail: LaneDetail | None
    gates: tuple[GateView, ...]
    """Those on the scopes that it shares."""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """Last line: its journal is closed."""

    state: Literal["finished", "interrupted"]
    held_s: float = 0.0
    """For how long servers asked it to wait; only of a level."""
    lost_rows: int = 0
    """Rows that the disk did not take any more."""


FromPart = Ready | Segment | Want | Done | JobEnded | HoldLane | LaneIsOff | Told | Seen | AboutLane | Ended

_encode = msgspec.json.Encoder().encode
_to_part: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ToPart)
_from_part: msgspec.json.Decoder[Any] = msgspec.json.Decoder(FromPart)


def line_of(message: ToPart | FromPart) -> bytes:
    """Write a message as a line."""
    return _encode(message) + b"\n"


def read_to_part(line: bytes) -> ToPart:
    """Read what a coordinator says."""
    return _to_part.decode(line)


def read_from_part(line: bytes) -> FromPart:
    """Read what a process says."""
    return _from_part.decode(line)
