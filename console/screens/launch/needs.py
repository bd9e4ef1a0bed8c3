"""What the launch screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from console.screens.profiles.needs import Origin, TotalsRow

AxisName = Literal["model", "prompt", "difficulty", "rate", "task"]
"""What a matrix of tests is made of."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a launch is asked to do: everything that the command line of `run` can say, and nothing else.

    Plan, rehearsal, comparison and launch are all made from the arguments that it stands for.
    """

    profile: str = "sim"
    changes: tuple[str, ...] = ()
    """Texts of `--set`."""
    phases: tuple[str, ...] = ()
    """None: the picks alone are run."""
    model_class: str | None = None
    models: tuple[str, ...] = ()
    """Empty, as of all picks: those of each phase."""
    prompt_types: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    instances: int | None = None
    policy: str | None = None
    ultra_parallel: bool = False
    rate_mode: str | None = None
    seed: int = 0
    reuse: str | None = None
    processes: str = "1"
    """A number, or `auto`."""
    content: bool = True
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """A phase that can be chosen."""

    id: str
    title: str = ""
    origin: Origin = "built-in"
    variant_of: str | None = None
    error: str | None = None
    """What is wrong with its file, all lines; it cannot be chosen."""
    tests: int | None = None
    """It has under the profile and the picks; None: they do not fit it."""
    why: str = ""
    """They do not."""


@dataclass(frozen=True, slots=True)
class AxisValue:
    """One value of an axis."""

    name: str
    """As its flag takes it."""
    note: str = ""
    own: bool = False
    """A chosen phase has it by itself."""
    tests: int = 0
    """Of all that is chosen, those that have it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis with all that can be picked on it."""

    name: AxisName
    values: tuple[AxisValue, ...]
    alike: bool = True
    """All chosen phases have the same values by themselves."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What can be chosen, and what the choice comes to, tests whose results are reused included."""

    phases: tuple[PhaseLine, ...] = ()
    axes: tuple[Axis, ...] = ()
    tests: int = 0
    notes: tuple[str, ...] = ()
    """Where picks make more of a phase than it is by itself."""
    error: str = ""
    """Of the profile: without it there are no models to count for."""
    own_profiles: bool = True
    """The user has one of their own."""


@dataclass(frozen=True, slots=True)
class KeyLoad:
    """What comes on one key."""

    name: str
    jobs: int
    workers: int
    """Most at once, as limits stand."""
    peak_in_flight: int
    mean_per_s: float
    nominal_per_s: float
    """Most requests per second by the rates of its lanes; 0: they have none."""
    limit: str
    """`10`, `~10` where it is supposed, `none`."""
    limit_per_s: float | None
    share: float | None
    """Of its limit."""
    step_s: float
    in_flight: tuple[float, ...]
    """Means of each step."""
    requests_per_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing that is wrong with a plan."""

    text: str
    where: str = ""
    code: str = ""
    cure: str = ""
    """In words; empty: none is known."""
    change: tuple[str, ...] = ()
    """Arguments that cure it."""


@dataclass(frozen=True, slots=True)
class PhaseCount:
    """What one phase of a plan comes to."""

    phase: str
    jobs: int
    new: int
    reused: str = ""
    """`100 (5.1)`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a launch would do, from the very plan that it enforces."""

    title: str
    profile: str
    rate_mode: str
    tests: int
    """New ones, to be played."""
    requests: int = 0
    """About so many, for those tests."""
    reused: int = 0
    jobs: int = 0
    shards: int = 0
    lanes: int = 0
    duration_s: float = 0.0
    latency: str = ""
    """What an answer is supposed to take, and where that is known from."""
    processes: int = 1
    phases: tuple[PhaseCount, ...] = ()
    keys: tuple[KeyLoad, ...] = ()
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()
    totals: tuple[TotalsRow, ...] = ()
    simulated: bool = False
    missing: tuple[str, ...] = ()
    """Secrets and addresses that are not there; without them the engine does not start."""
    place: str = ""
    """Where its run directory goes."""
    free_bytes: int | None = None
    """On that disk."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rehearsal or a comparison is."""

    done: int
    planned: int
    virtual_s: float
    """Reached on the virtual clock."""
    eta_s: float | None = None
    name: str = ""
    """Of several, the one that is rehearsed."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The report of a rehearsal."""

    lines: Callable[[int], list[str]]
    """Makes it for a width in columns."""
    duration_s: float = 0.0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One policy of a comparison."""

    name: str
    duration: str
    peak_qps: int
    in_flight: int
    models: int
    """Most at once on a key."""
    rate_limited: int
    unanswered: int
    warnings: int
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """Policies side by side."""

    rows: tuple[PolicyRow, ...]
    choose: str = ""
    why: str = ""
    lines: Callable[[int], list[str]] = lambda _width: []
    """The whole report for a width in columns: each key, what is refused, what the figures rest on."""


class Played(Protocol):
    """A rehearsal or a comparison that goes on in a process of its own."""

    def wait(self, tell: Callable[[Progress], None]) -> Rehearsed | PolicyTable:
        """Return what it came to; `tell` is told how far it is. It blocks: call it in a thread.

        Raises:
            ConsoleError: with its own words if it failed.
        """
        ...

    def cancel(self) -> None:
        """End its process; `wait` then raises."""
        ...


class LaunchNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def matrix(self, asked: Asked) -> Matrix:
        """Return what can be chosen, and how many tests the choice has."""
        ...

    def plan(self, asked: Asked, superseded: Callable[[], bool]) -> Planned | None:
        """Return what a launch would do; None as soon as `superseded` says that nobody wants to know any more."""
        ...

    def earlier(self) -> list[str]:
        """Return the ids of runs whose results may be reused, newest first."""
        ...

    def rehearse(self, asked: Asked) -> Played:
        """Begin to play it through on a virtual clock."""
        ...

    def compare(self, asked: Asked) -> Played:
        """Begin to rehearse it under each policy that applies."""
        ...

    def launch(self, asked: Asked) -> Path:
        """Start an engine in a session of its own and return its run directory once that exists."""
        ...
