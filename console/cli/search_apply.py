"""`capacity ramp --apply PROFILE`: the answer as workers of a profile, shown as a diff before it is written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.profile.draft import Draft
    from console.run_search import SearchRun


@dataclass(frozen=True, slots=True)
class Applying:
    """Which profile the answer goes into, found out before anything is sent."""

    profile: str
    model: str
    yes: bool

    @classmethod
    def to(cls, profile: str, model: str, *, yes: bool) -> Applying:
        """Check that the profile can be written and has the model.

        Raises:
            ConsoleError: if it is built in, is not there, or has no such model, or if nobody can be asked.
        """
        from console.profile.load import load_profile

        loaded = load_profile(profile)
        if loaded.path is None:
            raise ConsoleError(
                f"{profile} is built in and stays as it is",
                where="--apply",
                hint=f"copy it first: ultra-console profile new MINE --from {profile}",
            )
        if model not in loaded.profile.models:
            raise ConsoleError(f"{profile} has no model {model!r}", where="--apply")
        if not yes and not sys.stdin.isatty():
            raise ConsoleError(
                "asks before it writes, and there is nobody to ask", where="--apply", hint="--yes"
            )
        return cls(profile, model, yes)

    def apply(self, search: SearchRun) -> None:
        """Show what changes, and write it where that is wanted.

        Raises:
            ConsoleError: if the file has changed meanwhile, or cannot be written.
        """
        from console.profile.save import save_over

        answer = search.answers[-1] if search.answers else None
        if answer is None or answer.capacity is None or answer.state != "found":
            say(f"{self.profile} stays as it is: there is no certain answer to apply", err=True)
            return
        draft, lines = workers_draft(
            self.profile, self.model, answer.capacity, [setup.lane for setup in search.lanes]
        )
        say("\n".join(safe_line(line, 300) for line in lines), err=True)
        path = draft.source.path
        if not draft.changed or path is None:
            return
        if not self.yes and not click.confirm(f"write {path}?", err=True):
            say("nothing is written", err=True)
            return
        save_over(path, draft.rewritten().text, read=draft.source.text, keep_old=True)
        say(f"{path} is written; what stood there is kept beside it", err=True)


def workers_draft(
    profile: str, model: str, capacity: int, lanes: Sequence[Lane]
) -> tuple[Draft, tuple[str, ...]]:
    """Return a profile with `capacity` requests dealt out over the lanes of a model, and the change in words.

    Workers belong to a class, so that other models of it get the same.

    Raises:
        ConsoleError: if the profile is not there, or would be wrong with it.
    """
    from console.profile.draft import Draft
    from console.profile.load import load_profile
    from console.profile.places import find_profile
    from console.profile.table_diff import ABSENT, with_value
    from console.profile.toml_lines import dotted

    source = find_profile(profile)
    loaded = load_profile(profile).profile
    made, home = loaded.models[model], lanes[0].provider
    table = loaded.providers[home].limits_as or home
    each = max(1, capacity // max(1, len(lanes)))
    draft = Draft.of(source)
    draft = draft.edited(with_value(draft.now, ("limits", table, made.model_class, "fixed", "workers"), each))
    judged = draft.judge()
    if judged.profile is None:
        raise ConsoleError(f"would be wrong with it: {judged.complaints[0].message}", where=source.origin)
    if not draft.changed:
        return draft, (f"{source.origin} says so already: {each} workers a lane",)
    lines = [source.origin]
    lines += [
        f"  {dotted(change.path)}: {'not set' if change.before is ABSENT else change.before} -> {change.after}"
        for change in draft.changes
    ]
    lines.append(f"  {capacity} requests over {len(lanes)} lane{'' if len(lanes) == 1 else 's'} of {model}")
    others = [
        name
        for name, other in loaded.models.items()
        if name != model and other.model_class == made.model_class and other.provider == made.provider
    ]
    if others:
        lines.append(f"  the limits are those of the class: {', '.join(others[:4])} get them as well")
    return draft, tuple(lines)
