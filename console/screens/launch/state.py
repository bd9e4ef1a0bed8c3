"""What the launch screen holds: the choice, the settings, the cures taken, and the way back from each change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from console.screens.launch.choosing import Picks, with_picks
from console.screens.launch.command_line import cured
from console.screens.launch.needs import Asked

_KEPT: Final = 100
"""Changes that can be taken back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One state of the screen."""

    picks: Picks = field(default_factory=Picks)
    settings: Asked = field(default_factory=Asked)
    """Only how it runs is read from it; its `changes` are the cures that were taken."""


@dataclass(slots=True)
class Wishes:
    """The present state and those before it."""

    now: Wish = field(default_factory=Wish)
    _before: list[Wish] = field(default_factory=list[Wish])

    def asked(self, profile: str, changes: tuple[str, ...]) -> Asked:
        """Return what a launch is asked to do, under a profile with changes that are not saved."""
        kept = tuple(change for change in changes if not self._cures(change))
        settings = replace(self.now.settings, profile=profile, changes=(*kept, *self.now.settings.changes))
        return with_picks(settings, self.now.picks)

    def _cures(self, change: str) -> bool:
        path = change.partition("=")[0]
        return any(cure.partition("=")[0] == path for cure in self.now.settings.changes)

    def pick(self, picks: Picks) -> None:
        """Take another choice."""
        self._take(replace(self.now, picks=picks))

    def set(self, settings: Asked) -> None:
        """Take other settings."""
        self._take(replace(self.now, settings=settings))

    def cure(self, change: tuple[str, ...]) -> bool:
        """Take the arguments of a cure; return whether they are settings of this screen."""
        settings = cured(self.now.settings, change)
        if settings is None:
            return False
        self.set(settings)
        return True

    def undo(self) -> bool:
        """Go back to the state before the last change; return whether there was one."""
        if not self._before:
            return False
        self.now = self._before.pop()
        return True

    def forget_cures(self) -> None:
        """Drop changes of a profile that is no longer the chosen one; there is no way back to them."""
        bare = replace(self.now.settings, changes=())
        self.now = replace(self.now, settings=bare)
        self._before.clear()

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._before)

    def _take(self, wish: Wish) -> None:
        if wish != self.now:
            self._before = [*self._before, self.now][-_KEPT:]
            self.now = wish


def nothing_asked(asked: Asked) -> bool:
    """Whether `run` would say that nothing is asked for."""
    picks = (asked.models, asked.prompt_types, asked.difficulties, asked.rates, asked.task_types)
    return not (asked.phases or any(picks) or asked.model_class or asked.instances)
