"""The launch screen's questions answered from made-up phases: no profile, no file, no process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.screens.launch.needs import (
    Asked,
    Axis,
    AxisValue,
    KeyLoad,
    Matrix,
    PhaseCount,
    PhaseLine,
    Planned,
    PolicyRow,
    PolicyTable,
    Progress,
    Rehearsed,
    Warned,
)
from console.screens.profiles.needs import TotalsRow
from console.vocabulary.errors import ConsoleError

OPEN = (
    "DeepSeek-V3-0324",
    "DeepSeek-R1-0528",
    "qwen2.5-72b-instruct",
    "qwen2.5-32b-instruct",
    "qwen2.5-14b-instruct",
    "qwen2.5-7b-instruct",
    "qwen2.5-3b-instruct",
    "Llama-3.3-70B-Instruct",
)
CLOSED = ("gpt-4o-mini", "o3")
FLAWED = ("flawed_sequence_disorder", "flawed_tool_misuse", "flawed_missing_step")
PROMPTS = ("baseline", "cot", "optimal", *FLAWED)
DIFFICULTIES = ("very_easy", "easy", "medium", "hard", "very_hard")
RATES = ("1", "0.9", "0.8", "0.7", "0.6", "0.5")
TASKS = ("simple_task", "basic_task", "data_pipeline", "api_integration", "multi_stage_pipeline")
BROKEN_PHASE = """phases/broken.toml:2: difficulties: names 'hardd', which is no difficulty
phases/broken.toml:3: instances: must be a whole number ≥ 1"""


@dataclass(frozen=True)
class FakePhase:
    """A made-up phase."""

    id: str
    title: str
    models: tuple[str, ...] = OPEN
    prompts: tuple[str, ...] = ("optimal",)
    difficulties: tuple[str, ...] = ("easy",)
    rates: tuple[str, ...] = ("0.8",)
    variant_of: str | None = None

    def chosen(self, asked: Asked) -> FakePhase:
        return replace(
            self,
            models=asked.models or self.models,
            prompts=asked.prompt_types or self.prompts,
            difficulties=asked.difficulties or self.difficulties,
            rates=asked.rates or self.rates,
        )

    def tests(self, asked: Asked) -> int:
        held = self.chosen(asked)
        each = (asked.instances or 20) * len(asked.task_types or TASKS)
        return len(held.models) * len(held.prompts) * len(held.difficulties) * len(held.rates) * each


PHASES = (
    FakePhase("5.1", "Baseline"),
    FakePhase("5.2", "Qwen scale effect", OPEN[2:7], difficulties=("very_easy", "medium")),
    FakePhase("5.2-serial", "Qwen scale effect, in series", OPEN[2:7], variant_of="5.2"),
    FakePhase("5.3", "Flawed workflows", prompts=FLAWED),
    FakePhase("5.4", "Tool reliability", (*OPEN, *CLOSED), rates=RATES[1:]),
    FakePhase(
        "5.4-three-rates", "Tool reliability, three rates", rates=("0.9", "0.7", "0.6"), variant_of="5.4"
    ),
)


@dataclass
class FakePlayed:
    """Tells a half, then waits until it is let go or cancelled."""

    result: Rehearsed | PolicyTable
    go: threading.Event = field(default_factory=threading.Event)
    cancelled: bool = False

    def wait(self, tell: Callable[[Progress], None]) -> Rehearsed | PolicyTable:
        tell(Progress(400, 800, 61.0, 4.0, "serial" if isinstance(self.result, PolicyTable) else ""))
        self.go.wait(30)
        if self.cancelled:
            raise ConsoleError("cancelled")
        return self.result

    def cancel(self) -> None:
        self.cancelled = True
        self.go.set()


def policies() -> PolicyTable:
    return PolicyTable(
        (
            PolicyRow("as-is", "12 min 05 s", 8, 4, 4, 31, 0, 2),
            PolicyRow("serial", "41 min 20 s", 2, 1, 1, 0, 0, 0),
            PolicyRow("batches-of-3", "18 min 02 s", 4, 2, 1, 0, 0, 0),
            PolicyRow("key-pool", "14 min 41 s", 6, 3, 1, 0, 0, 0),
        ),
        "key-pool",
        "choose key-pool: 14 min 41 s, the quickest that breaks nothing",
        lambda width: [f"Key ideallab/key{n} (SIMULATED)"[:width] for n in range(3)],
    )


@dataclass(kw_only=True)
class LaunchTold:
    """What the launch screen is told."""

    launched: list[tuple[str, str]] = field(default_factory=list)
    """Profile, and phases behind one another."""
    started: list[Asked] = field(default_factory=list)
    planned: list[Asked] = field(default_factory=list)
    launch_error: ConsoleError | None = None
    plan_error: ConsoleError | None = None
    empty: bool = False
    own_profiles: bool = True
    missing: tuple[str, ...] = ()
    plan_held: threading.Event | None = None
    """Plans wait for it."""
    played: FakePlayed | None = None
    totals: tuple[TotalsRow, ...] = ()

    def matrix(self, asked: Asked) -> Matrix:
        if self.empty:
            return Matrix(own_profiles=self.own_profiles)
        chosen = [phase for phase in PHASES if phase.id in asked.phases]
        lines = [
            PhaseLine(one.id, one.title, "built-in", one.variant_of, None, one.tests(asked)) for one in PHASES
        ]
        lines += [
            PhaseLine("broken", origin="yours", error=BROKEN_PHASE),
            PhaseLine("mine", "Hard ones", "yours", None, None, 100),
        ]
        notes = ("5.2 gets 2 models that it does not have by itself: picks hold for every phase",)
        return Matrix(
            tuple(lines),
            (
                self._axis("model", (*OPEN, *CLOSED), chosen, asked),
                self._axis("prompt", PROMPTS, chosen, asked),
                self._axis("difficulty", DIFFICULTIES, chosen, asked),
                self._axis("rate", RATES, chosen, asked),
                self._axis("task", TASKS, chosen, asked),
            ),
            sum(one.tests(asked) for one in chosen),
            notes if asked.models and len(chosen) > 1 else (),
            own_profiles=self.own_profiles,
        )

    def _axis(self, name, values, chosen: list[FakePhase], asked: Asked) -> Axis:
        def of(phase: FakePhase) -> tuple[str, ...]:
            return {
                "model": phase.models,
                "prompt": phase.prompts,
                "difficulty": phase.difficulties,
                "rate": phase.rates,
                "task": asked.task_types or TASKS,
            }[name]

        def own(phase: FakePhase) -> tuple[str, ...]:
            return TASKS if name == "task" else of(phase)

        counts = {
            value: sum(
                one.tests(asked) // len(of(one.chosen(asked)))
                for one in chosen
                if value in of(one.chosen(asked))
            )
            for value in values
        }
        notes = dict.fromkeys(OPEN, "open") | dict.fromkeys(CLOSED, "closed")
        return Axis(
            name,
            tuple(
                AxisValue(
                    value, notes.get(value, ""), any(value in own(one) for one in chosen), counts[value]
                )
                for value in values
            ),
            len({own(one) for one in chosen}) < 2,
        )

    def plan(self, asked: Asked, superseded: Callable[[], bool]) -> Planned | None:
        self.planned.append(asked)
        if self.plan_held is not None:
            self.plan_held.wait(30)
        if self.plan_error is not None:
            raise self.plan_error
        if superseded():
            return None
        tests = self.matrix(asked).tests
        warnings = (
            Warned(
                "4 jobs may send 8 req/s against a limit of 10",
                "key ideallab/key0",
                "oversubscribed",
                "one job a key at a time",
                ("--policy", "key-pool"),
            ),
            Warned(
                "10 jobs of 5 models are to run side by side, each with 1 worker",
                "ideallab/open",
                "serial-by-limit",
                "3 workers a key",
                ("--set", "limits.ideallab.open.fixed.workers=3"),
            ),
            Warned("the key qwen2.5-7b-instruct would have is off"),
        )
        return Planned(
            title=", ".join(asked.phases),
            profile=asked.profile,
            rate_mode=asked.rate_mode or "fixed",
            tests=tests,
            requests=6 * tests,
            reused=100 if "5.4" in asked.phases else 0,
            jobs=8,
            shards=24,
            lanes=24,
            duration_s=725.0,
            latency="0.102 s at ideallab (as the profile guesses)",
            phases=tuple(PhaseCount(name, 8, tests // len(asked.phases)) for name in asked.phases),
            keys=tuple(
                KeyLoad(
                    f"ideallab/key{n}",
                    4,
                    8,
                    4,
                    1.9,
                    8.0,
                    "~10",
                    10.0,
                    0.8,
                    3.0,
                    tuple(float((step * (n + 1)) % 5) for step in range(240)),
                    tuple(float((step * (n + 2)) % 9) for step in range(240)),
                )
                for n in range(3)
            ),
            warnings=() if asked.policy == "key-pool" else warnings,
            notes=("5.4 would reuse 100 tests of 5.1, which is not in this run: they are played anew",)
            if asked.phases == ("5.4",)
            else (),
            totals=self.totals,
            simulated=asked.profile == "sim",
            missing=self.missing,
            place="~/.local/state/ultra-console/runs",
            free_bytes=61 * 1024**3,
        )

    def earlier(self) -> list[str]:
        return [] if self.empty else ["20261120-231507-5.1-sim", "20261119-080100-5.2-mine"]

    def rehearse(self, asked: Asked) -> FakePlayed:
        lines = ["SIMULATED: rehearsal of 5.1; nothing was sent", "forecast: 12 min 05 s"]
        self.played = FakePlayed(Rehearsed(lambda _width: [*lines, *(f"line {n}" for n in range(60))], 725.0))
        return self.played

    def compare(self, asked: Asked) -> FakePlayed:
        self.played = FakePlayed(policies())
        return self.played

    def launch(self, asked: Asked) -> Path:
        if self.launch_error is not None:
            raise self.launch_error
        self.started.append(asked)
        self.launched.append((asked.profile, ",".join(asked.phases)))
        return Path("/runs/20261120-231507-5.1-sim")
