"""All profiles under edit, by name: what was opened stays as it was left, changes and all. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.profile.check import Finding, check
from console.profile.draft import Draft, Judged, judge
from console.profile.form import Profile
from console.profile.places import ProfileSource
from console.profile.tables import Table
from console.vocabulary.lane import RateMode


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one draft."""

    draft: Draft
    judged: Judged
    saved: Profile | None
    """The profile as the file has it; None: it is not valid there."""
    findings: tuple[Finding, ...]
    """What is valid and yet hardly meant; empty while there are complaints."""


@dataclass(slots=True)
class Editor:
    """One profile is in front; the others wait."""

    name: str = ""
    drafts: dict[str, Draft] = field(default_factory=dict[str, Draft])
    stale: dict[str, ProfileSource] = field(default_factory=dict[str, ProfileSource])
    """Of drafts with changes whose file has changed: as it stands now."""
    _facts: dict[str, Facts] = field(default_factory=dict[str, Facts])
    _saved: dict[str, tuple[Table, Profile | None]] = field(
        default_factory=dict[str, tuple[Table, Profile | None]]
    )

    def take(self, name: str, source: ProfileSource) -> None:
        """Take what stands in the file of a profile now; a draft with changes is left as it is.

        Raises:
            ConsoleError: if it is no TOML.
        """
        draft = self.drafts.get(name)
        if draft is None or (draft.source.text != source.text and not draft.changed):
            self.drafts[name] = Draft.of(source)
            self.stale.pop(name, None)
        elif draft.source.text == source.text:
            self.stale.pop(name, None)
        else:
            self.stale[name] = source

    def drop(self, name: str) -> None:
        """Forget a profile."""
        self.drafts.pop(name, None)
        self.stale.pop(name, None)

    @property
    def draft(self) -> Draft | None:
        """The one in front."""
        return self.drafts.get(self.name)

    def put(self, draft: Draft) -> None:
        """Let another draft be in front, under the same name."""
        self.drafts[self.name] = draft

    def facts(self) -> Facts | None:
        """Return what is known of the draft in front."""
        draft = self.draft
        if draft is None:
            return None
        known = self._facts.get(self.name)
        if known is None or known.draft is not draft:
            judged = draft.judge()
            found = () if judged.profile is None else tuple(check(draft.loaded(judged.profile)))
            known = Facts(draft, judged, self._saved_profile(draft), found)
            self._facts[self.name] = known
        return known

    def _saved_profile(self, draft: Draft) -> Profile | None:
        known = self._saved.get(self.name)
        if known is None or known[0] is not draft.saved:
            known = draft.saved, judge(draft.saved, draft.source).profile
            self._saved[self.name] = known
        return known[1]

    def unsaved(self) -> list[str]:
        """Return the names of those with changes."""
        return [name for name, draft in self.drafts.items() if draft.changed]

    def session_changes(self, name: str) -> tuple[str, ...] | None:
        """Return the changes of a profile as a launch takes them; None where it cannot."""
        draft = self.drafts.get(name)
        return () if draft is None else draft.texts()


def mode_in_force(draft: Draft, forced: str | None) -> RateMode | None:
    """Return the rate mode that a launch would use where the environment wants one: a changed one beats it."""
    if forced not in ("fixed", "adaptive") or draft.now.get("rate_mode") != draft.saved.get("rate_mode"):
        return None
    return "fixed" if forced == "fixed" else "adaptive"
