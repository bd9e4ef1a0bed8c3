"""What a watcher may ask of a run, and what it is told. One JSON line each on the control socket."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from console.vocabulary.lane import Lane
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


Command = Pause | Resume | Drain | Stop | Switch
Request = Look | Pause | Resume | Drain | Stop | Switch


class Accepted(msgspec.Struct, frozen=True, tag="accepted", tag_field="type"):
    """The command was taken."""

    text: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type"):
    """The command was not taken, and why."""

    text: str


Reply = Snapshot | Accepted | Refused
