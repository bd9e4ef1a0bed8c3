"""Engines of fakes for the live screen: recorded snapshots that take commands at their word."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from console.control.client import NotLive
from console.screens.live.needs import RunEnd, RunWatch
from console.vocabulary.command import Accepted, Adapt, Change, Command, Pause, Refused, Resume, Switch, Tune
from console.vocabulary.inspection import Failed, GateView, History, LaneDetail, LimitChange, Point
from console.vocabulary.lane import Lane, Scope
from console.vocabulary.snapshot import EventView, JobView, LaneView, Snapshot

AZURE = ("DeepSeek-V3-0324", "DeepSeek-R1-0528", "Llama-3.3-70B-Instruct")
QWEN = tuple(f"qwen2.5-{size}b-instruct" for size in (72, 32, 14, 7, 3))
RUN_DIR = Path("/runs/20261120-231507-5.1-sim")


def lanes() -> tuple[LaneView, ...]:
    """Nine azure lanes on one key, fifteen of the gateway on three; one of each state among them."""
    made: list[LaneView] = []
    for place, model in enumerate(AZURE):
        for number in range(3):
            deployment = model if number == 0 else f"{model}-{number + 1}"
            busy = place == 0
            made.append(
                LaneView(
                    provider="azure",
                    model=model,
                    deployment=deployment,
                    key="key0",
                    state=("full" if number == 0 else "busy") if busy else "idle",
                    in_flight=(50 if number == 0 else 41 - number) if busy else 0,
                    held=50 if busy else 0,
                    workers=50,
                    profile_workers=50,
                    rate=12.34 if busy else 0.0,
                    ok=1203 if busy else 0,
                    ttft_p50_ms=212.0 if busy else None,
                    ttft_p95_ms=388.0 if busy else None,
                )
            )
    for place, model in enumerate(QWEN):
        for key in range(3):
            state = "off" if key == 2 else "throttled" if place == 1 else "parked" if place == 4 else "idle"
            made.append(
                LaneView(
                    provider="ideallab",
                    model=model,
                    deployment=model,
                    key=f"key{key}",
                    state=state,
                    in_flight=1 if state == "throttled" else 0,
                    workers=2,
                    profile_workers=2,
                    qps=10.0,
                    profile_qps=10.0,
                    qps_scope="key",
                    most_qps=10.0,
                    rate=0.4 if state == "throttled" else 0.0,
                    rate_limited=7 if state == "throttled" else 0,
                    resume_in_s=12.0 if state == "throttled" else None,
                    note="401: key quarantined" if state == "parked" else "",
                )
            )
    return tuple(made)


def snapshot(**changes: object) -> Snapshot:
    """A busy, simulated run in its middle."""
    return msgspec.structs.replace(
        Snapshot(
            seq=7,
            run_id=RUN_DIR.name,
            run_dir=str(RUN_DIR),
            pid=os.getpid(),
            title="5.1",
            profile="sim",
            simulated=True,
            state="running",
            elapsed_s=451.0,
            eta_s=612.0,
            planned=800,
            done=338,
            verdicts={"full": 271, "partial": 30, "failure": 36, "infrastructure": 1},
            requests={"ok": 1912, "rate_limited": 14, "timeout_idle": 2},
            in_flight=133,
            queued=455,
            rate=37.4,
            tokens_per_s=2412.0,
            ttft_p50_ms=212.0,
            ttft_p95_ms=1388.0,
            lanes=lanes(),
            jobs=tuple(
                JobView(
                    id=model,
                    title=f"{model} easy",
                    model=model,
                    state="running" if place == 0 else "waiting",
                    planned=100,
                    done=38 if place == 0 else 0,
                )
                for place, model in enumerate(AZURE + QWEN)
            ),
            events=(
                EventView(at_s=0.0, level="info", subject="", text="run started"),
                EventView(at_s=3.0, level="info", subject=AZURE[0], text="job started"),
                EventView(
                    at_s=440.5,
                    level="warn",
                    subject="ideallab/qwen2.5-32b-instruct@key0",
                    text="429, back in 12 s",
                ),
                EventView(
                    at_s=447.0,
                    level="error",
                    subject="ideallab/qwen2.5-3b-instruct@key0",
                    text="401: key quarantined",
                ),
            ),
        ),
        **changes,
    )


def troubled() -> Snapshot:
    """A run with all that can go wrong on lanes: refusals, a refused key, leases, limits moved by hand and found."""
    shown = snapshot()
    changed: list[LaneView] = []
    for place, lane in enumerate(shown.lanes):
        changes: dict[str, object] = {}
        if lane.key == "key2":
            changes = {"state": "off", "note": "401: the key was refused"}
        elif place == 1:
            changes = {"workers": 40, "adaptive": True, "window": 36, "moved": -1}
        elif place == 2:
            changes = {"state": "off", "note": "switched off by hand", "in_flight": 0, "held": 0}
        elif lane.provider == "ideallab" and lane.state == "idle":
            changes = {"holder": "5.2/qwen2.5-72b-instruct"}
        elif lane.provider == "ideallab":
            changes = {"rate_limited": 812, "errors": 31}
        changed.append(msgspec.structs.replace(lane, **changes))
    return msgspec.structs.replace(
        shown,
        lanes=tuple(changed),
        requests={"ok": 1912, "rate_limited": 2436, "timeout_idle": 22, "server_error": 71},
        notice="key ideallab/key2 is refused: 5 lanes are off",
        pid=4242,
    )


def detail(shown: Snapshot, lane_id: str) -> LaneDetail:
    """Everything about a lane that has had some trouble."""
    view = next(view for view in shown.lanes if view.lane_id == lane_id)
    return LaneDetail(
        at_s=shown.elapsed_s,
        lane=view,
        gates=(
            GateView(
                kind="lane",
                name=lane_id,
                in_flight=view.in_flight,
                most=view.workers,
                qps=view.qps,
                profile_most=view.profile_workers,
                profile_qps=view.profile_qps,
                changed=view.workers != view.profile_workers,
            ),
            GateView(
                kind="key", name=f"{view.provider}/{view.key}", in_flight=view.in_flight, most=150, waiting=3
            ),
        ),
        outcomes={"ok": view.ok, "rate_limited": 14, "timeout_idle": 2},
        ttft_edges_ms=(100.0, 200.0, 400.0, 1600.0),
        ttft_counts=(3, 440, 612, 140, 8),
        changes=(
            LimitChange(at_s=401.0, what="window", old=40, new=36, why="429 that names concurrency"),
            LimitChange(at_s=432.0, what="workers", old=50, new=40, why="by hand"),
        ),
        failures=(
            Failed(
                at_s=440.5,
                outcome="rate_limited",
                status=429,
                text="Requests rate limit exceeded, retry after 12 s",
                test="qwen2.5-72b-instruct/cot/easy/0/sequential/17",
            ),
        ),
        jobs=("DeepSeek-V3-0324 easy baseline 0",),
        holder=view.holder,
    )


def history(shown: Snapshot) -> History:
    """Ten minutes of a run that came to its pace and had one bad moment."""
    total = tuple(
        Point(
            at_s=5.0 * n,
            in_flight=min(130, 4 * n),
            rate=min(37.0, 0.9 * n),
            tokens_per_s=min(2400.0, 60.0 * n),
            errors_per_s=2.0 if n in (40, 41, 42) else 0.0,
        )
        for n in range(90)
    )
    return History(step_s=5.0, total=total, lanes={lane.lane_id: total for lane in shown.lanes[:3]})


@dataclass
class FakeWatch:
    """Shows one snapshot until told otherwise; takes most commands at their word."""

    shown: Snapshot | None
    sent: list[Command] = field(default_factory=list)
    refuse: str = ""
    obeys: bool = True
    """Whether the snapshot shows what was commanded."""
    closed: bool = False
    inspected: list[str] = field(default_factory=list)

    async def look(self) -> Snapshot:
        if self.shown is None:
            raise NotLive(RUN_DIR / "control.sock")
        return self.shown

    async def inspect(self, lane: str) -> LaneDetail:
        if self.shown is None:
            raise NotLive(RUN_DIR / "control.sock")
        self.inspected.append(lane)
        return detail(self.shown, lane)

    async def recall(self) -> History:
        if self.shown is None:
            raise NotLive(RUN_DIR / "control.sock")
        return history(self.shown)

    async def send(self, command: Command) -> Accepted | Refused:
        self.sent.append(command)
        if self.refuse:
            return Refused(self.refuse)
        if self.obeys and self.shown is not None:
            self.shown = obeyed(self.shown, command)
        return Accepted()

    async def aclose(self) -> None:
        self.closed = True


def obeyed(shown: Snapshot, command: Command) -> Snapshot:
    """What an engine would show after a command."""
    if isinstance(command, (Pause, Resume)):
        state = "paused" if isinstance(command, Pause) else "running"
        return msgspec.structs.replace(shown, state=state, seq=shown.seq + 1)
    after = tuple(_obeyed_lane(lane, command) for lane in shown.lanes)
    return msgspec.structs.replace(shown, lanes=after, seq=shown.seq + 1)


def _obeyed_lane(view: LaneView, command: Command) -> LaneView:
    lane = Lane(view.provider, view.model, view.deployment, view.key)
    if isinstance(command, Switch) and command.concerns(lane):
        note = "" if command.on else "switched off by hand"
        return msgspec.structs.replace(view, state="idle" if command.on else "off", in_flight=0, note=note)
    if isinstance(command, Adapt) and view.lane_id in command.lanes:
        return msgspec.structs.replace(view, adaptive=command.on)
    tuned = isinstance(command, Tune) and Scope("lane", view.lane_id) in command.scopes
    if tuned and command.workers is not None:
        return msgspec.structs.replace(view, workers=_after(view, command.workers))
    return view


def _after(view: LaneView, change: Change) -> int | None:
    if change.op == "reset":
        return view.profile_workers
    if change.op == "=":
        return None if change.value is None else int(change.value)
    return (view.workers or 0) + int(change.value or 0) * (1 if change.op == "+" else -1)


@dataclass
class LiveTold:
    """What the live screen is told."""

    line: RunWatch = field(default_factory=lambda: FakeWatch(snapshot()))
    end: RunEnd | None = None
    live_run: Path | None = RUN_DIR

    def newest(self) -> Path | None:
        return self.live_run

    def watch(self, run_dir: Path) -> RunWatch:
        return self.line

    def ended(self, run_dir: Path) -> RunEnd | None:
        return self.end
