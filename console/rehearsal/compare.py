"""Several plans for the same work, rehearsed one after another and held side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from console.phases.plan import Plan
from console.profile.form import Profile
from console.rehearsal.rehearse import Progress, rehearse
from console.rehearsal.report import Rehearsal


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that is to be compared."""

    name: str
    """Such as that of its policy."""
    plan: Plan
    warnings: tuple[str, ...] = ()
    """Codes of what preflight found in it."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One of the plans."""

    name: str
    rehearsal: Rehearsal
    warnings: tuple[str, ...] = ()
    same_as: str = ""
    """The one before it that is the very same plan, and was played for both; empty: there is none."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that cannot be made."""

    name: str
    reason: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True, tag="comparison", tag_field="type"):
    """All plans, in the order given. Fewer than were asked for if somebody ended it."""

    plans: tuple[Compared, ...]
    refused: tuple[Refused, ...] = ()
    choose: str = ""
    """The one to choose; empty: there is none, or the comparison was ended before."""
    why: str = ""
    """In a sentence."""
    simulated: bool = True

    @property
    def interrupted(self) -> bool:
        """Whether the last one was not played to its end."""
        return bool(self.plans) and self.plans[-1].rehearsal.state == "interrupted"


def compare(
    candidates: Sequence[Candidate],
    profile: Profile,
    *,
    on_progress: Callable[[str, Progress], None] | None = None,
    obey_signals: bool = False,
) -> Comparison:
    """Rehearse every plan; the same plan under two names once.

    Args:
        candidates: the plans.
        profile: as in `rehearse`, as are the others.
        on_progress: told which plan is played, and how far the whole comparison is.
        obey_signals: end all of it at SIGINT and SIGTERM.
    """
    begun_s = time.monotonic()
    same = _same_plans(candidates)
    played = [one for one in candidates if one.name not in same]
    planned = sum(one.plan.planned for one in played)
    done = 0
    found: dict[str, Rehearsal] = {}
    compared: list[Compared] = []
    for one in candidates:
        if one.name not in same:

            def tell(progress: Progress, name: str = one.name, before: int = done) -> None:
                assert on_progress is not None
                wall_s = time.monotonic() - begun_s
                on_progress(
                    name,
                    msgspec.structs.replace(
                        progress, done=before + progress.done, planned=planned, wall_s=wall_s
                    ),
                )

            found[one.name] = rehearse(
                one.plan,
                profile,
                on_progress=None if on_progress is None else tell,
                obey_signals=obey_signals,
            )
            done += one.plan.planned
        same_as = same.get(one.name, "")
        rehearsal = found[same_as or one.name]
        compared.append(Compared(name=one.name, rehearsal=rehearsal, warnings=one.warnings, same_as=same_as))
        if rehearsal.state == "interrupted":
            break
    return Comparison(plans=tuple(compared))


def _same_plans(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return name → name of the first one with the very same plan, for all that are not the first."""
    same: dict[str, str] = {}
    firsts: list[Candidate] = []
    for one in candidates:
        plan = msgspec.structs.replace(one.plan, warnings=())
        for first in firsts:
            if msgspec.structs.replace(first.plan, warnings=()) == plan:
                same[one.name] = first.name
                break
        else:
            firsts.append(one)
    return same
