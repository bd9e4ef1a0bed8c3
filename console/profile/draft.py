"""A profile under edit: what was read, what is wanted, and the way between them, back and forth.

A draft is a value: every edit makes another one. It holds raw tables, so that it can also be wrong for a while,
and is judged by the same reader as a file is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from console.profile.complaints import Complaint
from console.profile.form import NAME, Profile
from console.profile.load import LoadedProfile, check_profile, parse_toml
from console.profile.patch import Rewritten, rewritten
from console.profile.places import ProfileSource
from console.profile.set_texts import set_texts
from console.profile.table_diff import Difference, differences, with_value
from console.profile.tables import Table


class Judged(NamedTuple):
    """What the reader of profiles makes of raw tables."""

    profile: Profile | None
    """None where there are complaints."""
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A profile as it was read and as it is wanted."""

    source: ProfileSource
    """The file as it was read."""
    saved: Table
    now: Table
    past: tuple[Table, ...] = ()
    """What an undo goes back to, the last one first to go."""
    future: tuple[Table, ...] = ()
    """What a redo goes to, the last one first."""

    @classmethod
    def of(cls, source: ProfileSource) -> Draft:
        """Begin with what stands in a file.

        Raises:
            ConsoleError: if it is no TOML.
        """
        raw, _ = parse_toml(source.text, source.origin)
        return cls(source, raw, raw)

    def edited(self, table: Table) -> Draft:
        """Return the draft with `table` wanted; one that says the same is no edit."""
        if not differences(self.now, table):
            return self
        return replace(self, now=table, past=(*self.past, self.now), future=())

    def undone(self) -> Draft:
        """Go back by one edit, if there is one."""
        if not self.past:
            return self
        return replace(self, now=self.past[-1], past=self.past[:-1], future=(*self.future, self.now))

    def redone(self) -> Draft:
        """Go forth again by one edit, if one was undone."""
        if not self.future:
            return self
        return replace(self, now=self.future[-1], future=self.future[:-1], past=(*self.past, self.now))

    def reverted(self) -> Draft:
        """Go back to what was read; this is an edit, and can be undone."""
        return self.edited(self.saved)

    def rebased(self, source: ProfileSource, *, keep_mine: bool) -> Draft:
        """Take another text for what was read: the file as it stands now. What was done can still be undone.

        Raises:
            ConsoleError: if it is no TOML.
        """
        raw, _ = parse_toml(source.text, source.origin)
        moved = replace(self, source=source, saved=raw)
        return moved if keep_mine else moved.edited(raw)

    @property
    def changes(self) -> list[Difference]:
        """What differs from the file."""
        return differences(self.saved, self.now)

    @property
    def changed(self) -> bool:
        """Whether anything does."""
        return bool(self.changes)

    def texts(self) -> tuple[str, ...] | None:
        """Return the changes as texts of `--set`; None where that cannot say them."""
        return set_texts(self.saved, self.now)

    def rewritten(self, name: str | None = None) -> Rewritten:
        """Return the text to save, with `name` in it if one is given."""
        wanted = self.now if name is None else with_value(self.now, ("name",), name)
        return rewritten(self.source.text, wanted)

    def judge(self) -> Judged:
        """Read what is wanted as a file would be read."""
        return judge(self.now, self.source)

    def loaded(self, profile: Profile) -> LoadedProfile:
        """Return `profile`, as `judge` made it, with where it comes from."""
        source = self.source
        return LoadedProfile(
            profile=profile, name=source.name, origin=source.origin, path=source.path, text=source.text
        )


def judge(raw: Table, source: ProfileSource) -> Judged:
    """Read raw tables as those of a file; a file need not say its name."""
    named = {"name": source.name if NAME.fullmatch(source.name) else "unnamed", **raw}
    profile, complaints = check_profile(named)
    return Judged(None if complaints else profile, tuple(complaints))
