"""What the profiles screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event
from typing import Literal, NamedTuple, Protocol

from console.profile.places import ProfileSource
from console.vocabulary.probed import Probed

Origin = Literal["built-in", "yours", "file"]


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """What one model may use under a profile, from the function that enforces it."""

    provider: str
    model: str
    lanes: int
    workers: int | None
    """Sum over its lanes; None: unlimited."""
    qps: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """A profile that can be chosen."""

    name: str
    description: str = ""
    origin: Origin = "built-in"
    error: str | None = None
    """Why it cannot be used; then the totals are empty."""
    totals: tuple[TotalsRow, ...] = ()
    rate_mode: str = "fixed"
    simulated: bool = False
    """All its providers are simulated."""


class ProbeCost(NamedTuple):
    """What asking every lane costs."""

    lanes: tuple[str, ...]
    """Their ids, in the order of the profile."""
    text: str
    """How much is sent, and to whom."""
    simulated: bool
    """Nothing leaves this machine."""


class ProfilesNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def choices(self) -> list[ProfileChoice]:
        """Return all profiles, the one to start with first; one with an error is in it, not raised."""
        ...

    def read(self, name: str) -> ProfileSource:
        """Return the text of a profile and where it stands.

        Raises:
            ConsoleError: if it is not there or cannot be read.
        """
        ...

    def name_fault(self, name: str) -> str | None:
        """Return why a new profile cannot have this name; quick enough to be asked at every key."""
        ...

    def create(self, name: str, text: str) -> str:
        """Write a new profile of the user's; return where it is.

        Raises:
            ConsoleError: if there is one of that name, or it cannot be written.
        """
        ...

    def save(self, source: ProfileSource, text: str, *, force: bool, keep_old: bool) -> str | None:
        """Write over the file that `source` was read from; return where the old text is kept, if it is.

        Raises:
            ChangedOnDisk: if it is not what was read, and not `force`.
            ConsoleError: if it cannot be written.
        """
        ...

    def delete(self, name: str) -> str:
        """Take a profile of the user's away; return where its text is kept."""
        ...

    def rename(self, name: str, new: str, text: str) -> str:
        """Give a profile of the user's another name, with `text` that says so; return where it is."""
        ...

    def probe_cost(self, source: ProfileSource) -> ProbeCost:
        """Return what it costs to ask every lane of this text once.

        Raises:
            ConsoleError: if the text is no profile.
        """
        ...

    def probe(self, source: ProfileSource, told: Callable[[Probed], None], stop: Event) -> list[str]:
        """Ask every lane once, until `stop` is set; return what mends those that do not answer.

        `told` is called from another thread, once a lane, as answers come.
        """
        ...

    def forced_mode(self) -> str | None:
        """Return the rate mode that the environment wants in place of a profile's."""
        ...

    def unset_variables(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these environment variables are not set here."""
        ...

    def is_first_start(self) -> bool:
        """Whether the console was opened by somebody without a profile who has never put the setup off."""
        ...

    def put_setup_off(self) -> None:
        """Remember that the setup need not be offered again."""
        ...
