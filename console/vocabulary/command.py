"""What a watcher may ask of a run, and what it is told. One JSON line each on the control socket."""

from __future__ import annotations

import msgspec

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


Command = Pause | Resume | Drain | Stop
Request = Look | Pause | Resume | Drain | Stop


class Accepted(msgspec.Struct, frozen=True, tag="accepted", tag_field="type"):
    """The command was taken."""

    text: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type"):
    """The command was not taken, and why."""

    text: str


Reply = Snapshot | Accepted | Refused
