"""What a watcher may ask of a run, and what it is told. One JSON line each on the control socket."""

from __future__ import annotations

from math import isfinite
from typing import Final, Literal, get_args

import msgspec

from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.lane import Lane, Scope
from console.vocabulary.snapshot import Snapshot


class Look(msgspec.Struct, frozen=True, tag="look", tag_field="type"):
    """Ask for a snapshot."""


class Pause(msgspec.Struct, frozen=True, tag="pause", tag_field="type"):
    """Send nothing new; what is in flight ends."""


class Resume(msgspec.Struct, frozen=True, tag="resume", tag_field="type"):
    """Go on after a pause."""


class Drain(msgspec.Struct, frozen=True, tag="drain", tag_field="type"):
    """Start no further test; those begun are finished, then the run ends."""


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="type"):
    """Cancel what is in flight and end now; what is finished is kept."""


SwitchKind = Literal["key", "deployment", "lane"]
SWITCH_KINDS: Final[tuple[SwitchKind, ...]] = get_args(SwitchKind)


class Switch(msgspec.Struct, frozen=True, tag="switch", tag_field="type"):
    """Switch a key, a deployment or a single lane off, or on again."""

    kind: SwitchKind
    name: str
    """key: `provider/key0` · deployment: `provider/name` · lane: `provider/deployment@key`."""
    on: bool

    def concerns(self, lane: Lane) -> bool:
        """Whether it is about `lane`."""
        return self.name == name_of(self.kind, lane)


def name_of(kind: SwitchKind, lane: Lane) -> str:
    """Return what a lane's key or deployment, or it itself, is called."""
    if kind == "key":
        return lane.key_scope
    return lane.id if kind == "lane" else f"{lane.provider}/{lane.deployment}"


class Change(msgspec.Struct, frozen=True):
    """What becomes of a limit."""

    op: Literal["=", "+", "-", "reset"]
    """`=` sets it, `+` and `-` move it, `reset` gives it the profile's figure again."""
    value: float | None = None
    """`=`: the new figure, None for unlimited (no lane is without workers) · `+` and `-`: by how much."""

    def __post_init__(self) -> None:
        """Hold what JSON cannot say off: it would become None, which is unlimited.

        Raises:
            ValueError: if the figure is not finite.
        """
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"{self.value} is no figure of a limit")


class Tune(msgspec.Struct, frozen=True, tag="tune", tag_field="type", kw_only=True):
    """Change limits while the run goes on. One command is one decision: all of it is taken, or nothing."""

    scopes: tuple[Scope, ...]
    """Lanes: each one's own limits. Other scopes: the gate on them, which is made where there is none."""
    workers: Change | None = None
    """None: as they are. Lowering preempts nobody: in-flight falls to the new limit as tests end."""
    qps: Change | None = None


class Adapt(msgspec.Struct, frozen=True, tag="adapt", tag_field="type"):
    """Let adaptive mode find the limits of lanes, or hold them where they are now."""

    lanes: tuple[str, ...]
    """Ids of lanes."""
    on: bool


class Inspect(msgspec.Struct, frozen=True, tag="inspect", tag_field="type"):
    """Ask for everything about one lane."""

    lane: str
    """Its id."""


class Recall(msgspec.Struct, frozen=True, tag="recall", tag_field="type"):
    """Ask for the figures of the last minutes, so that one who attaches late sees a curve."""


Command = Pause | Resume | Drain | Stop | Switch | Tune | Adapt
Question = Look | Inspect | Recall
Request = Question | Command


class Accepted(msgspec.Struct, frozen=True, tag="accepted", tag_field="type"):
    """The command was taken."""

    text: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type"):
    """The command was not taken, and why."""

    text: str


Reply = Snapshot | LaneDetail | History | Accepted | Refused
