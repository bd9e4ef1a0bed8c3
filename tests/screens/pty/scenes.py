"""What the fakes show: quiet and busy runs of several sizes, and one in which every text is hostile."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from fakes import RUN_DIR, FakeWatch, Told, snapshot
from fakes.capacity import searching
from fakes.profiles import BROKEN, FakeProfiles
from hostile import HOSTILE_PROFILE, Poisoned

from console.control.client import NotLive
from console.screens.backend import Backend
from console.vocabulary.snapshot import EventView, JobView, LaneView, Snapshot

STATES = ("busy", "busy", "busy", "full", "busy", "throttled")
TROUBLED = ("busy", "throttled", "busy", "parked", "full", "throttled", "busy")
"""Three lanes of seven."""


def all_busy(rows: int, columns: int, step: int, states: tuple[str, ...] = STATES) -> Snapshot:
    """Every lane works, and all its figures differ from step to step."""
    draw = random.Random(step)
    lanes: list[LaneView] = []
    for row in range(rows):
        provider = ("azure", "gateway", "local")[row * 3 // rows]
        for column in range(columns):
            in_flight = draw.randrange(1, 200)
            lanes.append(
                LaneView(
                    provider=provider,
                    model=f"model-{row // 3}",
                    deployment=f"model-{row // 3}-{row % 3}",
                    key=f"key{column}",
                    state=states[(row + column + step) % len(states)],
                    in_flight=in_flight,
                    held=in_flight,
                    workers=200,
                    qps=50.0,
                    rate=in_flight / 4,
                    ok=step * 100 + draw.randrange(100),
                    ttft_p50_ms=200.0 + draw.randrange(100),
                    ttft_p95_ms=900.0 + draw.randrange(600),
                )
            )
    jobs = tuple(
        JobView(
            id=f"j{n}",
            title=f"model-{n} easy",
            model=f"model-{n}",
            state="running",
            planned=100,
            done=(step * 3 + n) % 100,
        )
        for n in range(8)
    )
    happened = tuple(
        EventView(
            at_s=10.0 * n,
            level="warn" if n % 3 == 0 else "info",
            subject=f"azure/model-{n % 5}@key{n % 3}",
            text=f"limit {n} -> {n + 1}",
        )
        for n in range(step, step + 60)
    )
    return snapshot(
        pid=4242,
        seq=step,
        elapsed_s=451.0 + step,
        eta_s=612.0 - step,
        done=338 + 7 * step,
        planned=8000,
        verdicts={"full": 271 + 5 * step, "partial": 30 + step, "failure": 36 + step, "infrastructure": 1},
        requests={"ok": 1912 + 91 * step, "rate_limited": 14 + step, "timeout_idle": 2},
        in_flight=sum(lane.in_flight for lane in lanes),
        rate=37.4 + step,
        tokens_per_s=2412.0 + 11 * step,
        ttft_p50_ms=212.0 + step,
        ttft_p95_ms=1388.0 + 10 * step,
        lanes=tuple(lanes),
        jobs=jobs,
        events=happened,
    )


def shown_in(scene: str, step: int) -> Snapshot:
    """Return the snapshot of a scene at a step."""
    if scene.startswith("search-"):
        over, _, state = scene.removeprefix("search-").partition("-")
        return searching(int(over), stage_s=1.0 + step, seq=step, state=state or "running")
    kind, _, size = scene.partition("-")
    if kind in ("grid", "trouble"):
        rows, columns = size.split("x")
        return all_busy(int(rows), int(columns), step, TROUBLED if kind == "trouble" else STATES)
    return msgspec.structs.replace(snapshot(), pid=4242, seq=step)


class Watched(FakeWatch):
    """Counts the looks, so that a test can wait for several of them."""

    counter: Any = None

    async def look(self) -> Snapshot:
        self.counter.looks += 1
        if self.shown is None:
            raise NotLive("gone")
        return self.shown


def told_in(scene: str, counter: Any) -> Any:
    """Return the answers of a scene."""
    watch = Watched(shown_in(scene, 0))
    watch.counter = counter
    told = Told(watch)
    if scene.startswith("search"):
        told.capacity.searches[RUN_DIR] = None
    return PoisonedTold(told) if scene == "hostile" else told


class PoisonedTold:
    """The same answers, hostile."""

    def __init__(self, told: Told) -> None:
        self.line = told.line
        told.profiles = FakeProfiles(builtin={"sim": HOSTILE_PROFILE, "broken": BROKEN})
        rooms = ("profiles", "launch", "live", "results", "runs", "capacity")
        self.backend = Backend(*(Poisoned(getattr(told.backend, room)) for room in rooms))
