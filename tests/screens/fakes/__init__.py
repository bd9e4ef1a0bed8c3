"""A backend and engines of fakes: recorded snapshots, no profile, no file, no network."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from console.app import ConsoleApp, StartAt
from console.control.client import NotLive
from console.screens.backend import Backend
from console.screens.launch.needs import LaunchPreview, PhaseChoice
from console.screens.live.needs import RunEnd, RunWatch
from console.screens.profiles.needs import ProfileChoice, TotalsRow
from console.screens.results.needs import ResultsView, ResultTable
from console.screens.runs.needs import RunChoice
from console.vocabulary.command import Accepted, Command, Pause, Refused, Resume
from console.vocabulary.errors import ConsoleError
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.snapshot import EventView, JobView, LaneView, Snapshot

AZURE = ("DeepSeek-V3-0324", "DeepSeek-R1-0528", "Llama-3.3-70B-Instruct")
QWEN = tuple(f"qwen2.5-{size}b-instruct" for size in (72, 32, 14, 7, 3))
RUN_DIR = Path("/runs/20261120-231507-5.1-sim")

BROKEN = """broken.toml:14: limits.azure.open.fixed.workers: 'many' is not a number
broken.toml:31: models.qwen2.5-7b-instruct.split: 'pul' is unknown (did you mean 'pull'?)
broken.toml:40: timeouts.first_token: must be greater than 0"""
TOTALS = tuple(TotalsRow("azure", model, 3, 150) for model in AZURE) + tuple(
    TotalsRow("ideallab", model, 3, 6, 30.0) for model in QWEN
)


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
                    qps=10.0,
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


@dataclass
class FakeWatch:
    """Shows one snapshot until told otherwise; takes pause and resume at their word."""

    shown: Snapshot | None
    sent: list[Command] = field(default_factory=list)
    refuse: str = ""
    closed: bool = False

    async def look(self) -> Snapshot:
        if self.shown is None:
            raise NotLive(RUN_DIR / "control.sock")
        return self.shown

    async def inspect(self, lane: str) -> LaneDetail:
        if self.shown is None:
            raise NotLive(RUN_DIR / "control.sock")
        view = next(view for view in self.shown.lanes if view.lane_id == lane)
        return LaneDetail(at_s=self.shown.elapsed_s, lane=view)

    async def recall(self) -> History:
        return History(step_s=5.0)

    async def send(self, command: Command) -> Accepted | Refused:
        self.sent.append(command)
        if self.refuse:
            return Refused(self.refuse)
        if self.shown is not None and isinstance(command, (Pause, Resume)):
            state = "paused" if isinstance(command, Pause) else "running"
            self.shown = msgspec.structs.replace(self.shown, state=state)
        return Accepted()

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Told:
    """Holds what each screen is told; one object that answers them all."""

    line: RunWatch = field(default_factory=lambda: FakeWatch(snapshot()))
    end: RunEnd | None = None
    launched: list[tuple[str, str]] = field(default_factory=list)
    launch_error: ConsoleError | None = None
    empty: bool = False

    def choices(self) -> list[ProfileChoice]:
        if self.empty:
            return []
        return [
            ProfileChoice("sim", "simulated providers with all 14 models", totals=TOTALS, simulated=True),
            ProfileChoice("corrected-0824", "the corrected table of 24 August", totals=TOTALS[:3]),
            ProfileChoice("mine", "my lab", origin="yours", totals=TOTALS[3:], rate_mode="adaptive"),
            ProfileChoice("broken", origin="yours", error=BROKEN),
        ]

    def phases(self) -> list[PhaseChoice]:
        if self.empty:
            return []
        titles = (
            "Baseline",
            "Qwen scale effect",
            "Flawed workflows",
            "Tool reliability",
            "Prompt sensitivity",
        )
        counts = (800, 1000, 5600, 3200, 1600)
        return [
            PhaseChoice(f"5.{place + 1}", title, tests={"sim": counts[place]})
            for place, title in enumerate(titles)
        ]

    def preview(self, profile: str, phase: str) -> LaunchPreview:
        return LaunchPreview(
            profile,
            phase,
            "Baseline",
            800,
            requests=4300,
            jobs=8,
            lanes=24,
            simulated=True,
            totals=TOTALS,
            warnings=("key0 of ideallab carries 4 jobs at once: 8 req/s against a limit of 10",),
            place="~/.local/state/ultra-console/runs/",
        )

    def launch(self, profile: str, phase: str) -> Path:
        if self.launch_error is not None:
            raise self.launch_error
        self.launched.append((profile, phase))
        return RUN_DIR

    def runs(self) -> list[RunChoice]:
        if self.empty:
            return []
        return [
            RunChoice("a", RUN_DIR, "5.1", "sim", "live", 338, 800, True, "2026-11-20T23:15:07+00:00"),
            RunChoice(
                "b", RUN_DIR, "5.2", "mine", "finished", 1000, 1000, False, "2026-11-19T08:01:00+00:00"
            ),
            RunChoice("c", RUN_DIR, "5.1", "mine", "partial", 12, 800, False, "2026-11-18T02:40:00+00:00"),
        ]

    def newest(self) -> Path | None:
        return None if self.empty else RUN_DIR

    def watch(self, run_dir: Path) -> RunWatch:
        return self.line

    @property
    def backend(self) -> Backend:
        return Backend(self, self, self, self, self)

    def ended(self, run_dir: Path) -> RunEnd | None:
        return self.end

    def results(self, run_dir: Path) -> ResultsView:
        columns = (
            "model",
            "tests",
            "full",
            "partial",
            "failure",
            "infra",
            "req/s",
            "tok/s",
            "TTFT p50",
            "p95",
            "p99",
            "e2e p50",
        )
        rows = tuple(
            (model, "100", "71", "12", "16", "1", "12.3", "801", "212ms", "388ms", "1.21s", "3.4s")
            for model in AZURE + QWEN
        )
        return ResultsView(
            RUN_DIR.name,
            RUN_DIR,
            "5.1",
            "sim",
            "finished",
            True,
            (
                ResultTable("by model (SIMULATED)", columns, rows, ("p99 from 1,912 requests",)),
                ResultTable(
                    "by key (SIMULATED)",
                    ("key", "requests", "ok", "429"),
                    (("azure/key0", "1912", "1896", "14"),),
                ),
            ),
        )


def opened(told: Told, start: StartAt | None = None) -> ConsoleApp:
    """The console on these fakes."""
    return ConsoleApp(told.backend, start)
