"""What a watcher sees of a run: an immutable picture, built only when asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.vocabulary.client_health import ClientHealth
from console.vocabulary.lane import lane_id
from console.vocabulary.search_view import SearchView

RunState = Literal[
    "starting", "running", "paused", "blocked", "draining", "stopping", "finished", "interrupted"
]
"""blocked: the disk does not take rows; nothing new is sent until it does."""
LaneState = Literal["idle", "busy", "full", "throttled", "parked", "off"]
JobState = Literal["waiting", "staggered", "running", "done"]


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """One lane now."""

    provider: str
    model: str
    deployment: str
    key: str
    state: LaneState = "idle"
    in_flight: int = 0
    """Requests sent and not yet ended."""
    held: int = 0
    """Worker slots held by tests."""
    waiting: int = 0
    """Requests waiting at gates."""
    workers: int | None = None
    """The limit enforced now; None: unlimited."""
    window: int | None = None
    """Requests that may be in flight now, where adaptive mode finds that; it then finds `qps` as well."""
    qps: float | None = None
    """Requests per second that may be sent now; None: unlimited."""
    rate: float = 0.0
    """Requests sent per second over the last 5 s."""
    tokens_per_s: float = 0.0
    """Output tokens (chunks where the server sends no usage) per second over the last 5 s."""
    ok: int = 0
    rate_limited: int = 0
    errors: int = 0
    """All other outcomes but ok and cancelled."""
    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    resume_in_s: float | None = None
    """While throttled or parked for a time."""
    note: str = ""
    qps_scope: str = ""
    """Which gate lets least through per second now: lane, key, deployment, model or provider; empty: none limits it."""
    most_qps: float | None = None
    """What that gate lets through, over all lanes that pass it; None: unlimited."""
    profile_workers: int | None = None
    """The limits that the plan gave it; where they differ from those above, somebody has changed them by hand."""
    profile_qps: float | None = None
    adaptive: bool = False
    """Its limits are being found."""
    moved: int = 0
    """Where adaptive mode last moved its limits, within the last 10 s: 1 up, -1 down, 0 nowhere."""
    holder: str = ""
    """The jobs that have its key, where keys are leased; empty: nobody, or they are not."""

    @property
    def lane_id(self) -> str:
        """Return the id of the lane."""
        return lane_id(self.provider, self.deployment, self.key)


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """One job now."""

    id: str
    title: str
    model: str
    phase: str = ""
    state: JobState
    planned: int
    done: int
    starts_in_s: float | None = None
    key: str = ""
    """The key that it leases now, as `provider/key0`; empty: none."""
    waits_for_key: bool = False
    """Nothing else keeps it from working: the keys that it may lease are in use."""
    note: str = ""
    """Such as who has the key that it waits for, where that is another run."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event, newest last in a snapshot."""

    at_s: float
    level: str
    subject: str
    text: str


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of the run now."""

    id: str
    planned: int
    done: int
    state: JobState


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """The whole run now. Text from servers or models is already made safe for a terminal."""

    seq: int
    run_id: str
    run_dir: str
    pid: int
    title: str
    """Such as `5.1` or `capacity run`."""
    profile: str
    simulated: bool
    state: RunState
    elapsed_s: float
    eta_s: float | None = None
    """None: not known yet."""
    planned: int = 0
    done: int = 0
    """Tests with a row: terminal or infrastructure."""
    verdicts: dict[str, int] = {}
    requests: dict[str, int] = {}
    """By outcome."""
    in_flight: int = 0
    queued: int = 0
    """Tests that have not begun."""
    rate: float = 0.0
    tokens_per_s: float = 0.0
    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    lanes: tuple[LaneView, ...] = ()
    jobs: tuple[JobView, ...] = ()
    phases: tuple[PhaseView, ...] = ()
    """In their order; one of a run without phases: none."""
    events: tuple[EventView, ...] = ()
    notice: str = ""
    """What the operator must know now, such as `disk full: …`; empty: nothing."""
    health: ClientHealth | None = None
    """How the client itself keeps up, over the last 10 s; None: nobody measures it, or the run has ended."""
    search: SearchView | None = None
    """The capacity search that this run is; None: it is none."""
