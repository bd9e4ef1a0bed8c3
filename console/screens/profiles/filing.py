"""Profiles and their files: saved, written under another name, renamed, deleted, and asked for when the console is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from console.profile.draft import Draft
from console.profile.save import ChangedOnDisk
from console.profile.table_diff import with_value
from console.screens.ask_line import AskLine
from console.screens.profiles.changes import change_paragraphs
from console.screens.profiles.editing import EditingPane
from console.screens.profiles.editor import Facts
from console.screens.profiles.review import Review
from console.screens.profiles.setup import SIMULATOR
from console.screens.question import Answer, Question
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph

_ASK_NAME = "Letters, digits, dots, dashes and underscores; it goes into your profiles directory."


class FilingPane(EditingPane):
    """Writes what was edited."""

    # Saving

    def action_save(self) -> None:
        """Write the changes into the file, once what that costs has been seen."""
        facts = self.editor.facts()
        if facts is None or not self._worth_saving(facts):
            return
        if facts.draft.source.path is None:
            self.action_save_as()
        elif self.editor.name in self.editor.stale:
            self._ask_whose()
        else:
            self._save_with_care(facts)

    def _worth_saving(self, facts: Facts) -> bool:
        if facts.judged.profile is None:
            self.say("what is not valid is not saved: f says what is wrong")
        elif not facts.draft.changed:
            self.say("there is nothing to save")
        else:
            return True
        return False

    def _save_with_care(self, facts: Facts) -> None:
        """Show first what would be lost of a file that was written by hand."""
        written = facts.draft.rewritten()
        if not written.lost_comments and not written.anew:
            self._save(keep_old=False)
            return
        lost = f"{written.lost_comments} of its comments will be lost. " if written.lost_comments else ""
        name = facts.draft.source.path.name if facts.draft.source.path is not None else ""
        text = [paragraph(f"{lost}The old file is kept as {safe_line(name, 80)}~.", "warn"), Paragraph(())]
        self.open_screen(
            Review("save", text + change_paragraphs(facts, written), (Answer(("s",), "save", "save"),)),
            self._save_answered,
        )

    def _save_answered(self, answer: str | None) -> None:
        if answer:
            self._save(keep_old=True)

    def _save(self, *, keep_old: bool, force: bool = False) -> bool:
        """Write the file; return whether that is done."""
        draft = self.editor.draft
        if draft is None:
            return False
        needs, name = self.session.backend.profiles, self.editor.name
        try:
            kept = needs.save(draft.source, draft.rewritten().text, force=force, keep_old=keep_old)
            self.editor.put(draft.rebased(needs.read(name), keep_mine=True))
        except ChangedOnDisk:
            self._ask_whose()
            return False
        except ConsoleError as error:
            self.say(" ".join(error.lines()))
            return False
        self.editor.stale.pop(name, None)
        self.tell_session()
        self.show_all()
        where = safe_line(str(draft.source.path), 200)
        self.say(f"saved: {where}" + (f"; the old text is {safe_line(kept, 200)}" if kept else ""))
        self.read_again()
        return True

    def _ask_whose(self) -> None:
        self.open_screen(
            Question(
                "The file has been changed by somebody else",
                ("Whichever goes is not lost: theirs is kept as NAME.toml~, yours can be undone to.",),
                (
                    Answer(("k",), "keep mine: write over theirs", "mine"),
                    Answer(("t",), "load theirs", "theirs"),
                ),
            ),
            self._whose_answered,
        )

    def _whose_answered(self, answer: str | None) -> None:
        draft = self.editor.draft
        if draft is None or not answer:
            return
        if answer == "mine":
            self._save(keep_old=True, force=True)
            return
        try:
            source = self.session.backend.profiles.read(self.editor.name)
            self.editor.stale.pop(self.editor.name, None)
            self.put(draft.rebased(source, keep_mine=False))
            self.say("theirs is loaded; u goes back to yours")
        except ConsoleError as error:
            self.say(" ".join(error.lines()))

    def action_save_as(self) -> None:
        """Write the profile as it is seen under another name, and go on with that one."""
        self._ask_name("save as", "save", partial(self._create, moves=True))

    def action_new(self) -> None:
        """Begin a new profile with this one as it is seen."""
        self._ask_name("new profile", "make it", partial(self._create, moves=False))

    def _ask_name(self, title: str, does: str, then: Callable[[str], None]) -> None:
        facts, needs = self.editor.facts(), self.session.backend.profiles
        if facts is None or facts.judged.profile is None:
            self.say("what is not valid is not saved: f says what is wrong")
            return
        text = (f"A name for the copy of {safe_line(self.editor.name, 80)}. {_ASK_NAME}",)
        if title == "rename":
            text = (f"Another name for {safe_line(self.editor.name, 80)}. {_ASK_NAME}",)
        self.open_screen(
            AskLine(title, text, needs.name_fault, does=does), lambda name: then(name) if name else None
        )

    def _create(self, name: str, *, moves: bool) -> None:
        """Write a new profile; where the changes move there, the old one is as its file has it."""
        draft, old = self.editor.draft, self.editor.name
        if draft is None:
            return
        try:
            place = self.session.backend.profiles.create(name, draft.rewritten(name).text)
        except ConsoleError as error:
            self.say(" ".join(error.lines()))
            return
        if moves:
            self.editor.drafts[old] = Draft.of(draft.source)
            if self.session.profile == old:
                self.session.profile = name
        self._go_on_with(name, f"written: {safe_line(place, 200)}")

    def _go_on_with(self, name: str, said: str) -> None:
        """Bring a profile to the front once it is in the list."""

        def brought() -> None:
            self.tell_session()
            self.say(said)

        self.editor.name = name
        self.read_again(brought)

    # One's own profiles

    def action_rename(self) -> None:
        """Give a profile another name."""
        self._ask_name("rename", "rename", self._rename)

    def _rename(self, name: str) -> None:
        draft, old = self.editor.draft, self.editor.name
        if draft is None:
            return
        needs = self.session.backend.profiles
        saved = Draft.of(draft.source)
        try:
            needs.rename(old, name, saved.rewritten(name).text)
            source = needs.read(name)
        except ConsoleError as error:
            self.say(" ".join(error.lines()))
            return
        named = replace(draft, now=with_value(draft.now, ("name",), name), past=(), future=())
        self.editor.drop(old)
        self.editor.drafts[name] = named.rebased(source, keep_mine=True)
        if self.session.profile == old:
            self.session.profile = name
        self._go_on_with(name, f"{safe_line(old, 80)} is called {safe_line(name, 80)} from here on")

    def action_delete(self) -> None:
        """Delete a profile, once that is confirmed."""
        name = safe_line(self.editor.name, 80)
        self.open_screen(
            Question(
                f"Delete your profile {name}?",
                (f"Its text is kept as {name}.toml~; unsaved changes are lost.",),
                (Answer(("d",), "delete", "delete"),),
            ),
            self._delete_answered,
        )

    def _delete_answered(self, answer: str | None) -> None:
        name = self.editor.name
        if not answer:
            return
        try:
            kept = self.session.backend.profiles.delete(name)
        except ConsoleError as error:
            self.say(" ".join(error.lines()))
            return
        self.editor.drop(name)
        if self.session.profile == name:
            self.session.profile = SIMULATOR
        self._go_on_with(self.session.profile, f"deleted; the text is {safe_line(kept, 200)}")

    # Leaving

    def leave_question(self) -> Question | None:
        """Ask what becomes of changes that are not saved."""
        unsaved = self.editor.unsaved()
        if not unsaved:
            return None
        return Question(
            "Changes are not saved",
            (", ".join(safe_line(name, 40) for name in unsaved),),
            (Answer(("s",), "save", "save"), Answer(("x",), "discard", "discard")),
        )

    def leave_answered(self, value: str) -> bool:
        """Save all that can be saved without asking more; the first that cannot is shown, and asked for."""
        if value == "discard":
            return True
        for name in self.editor.unsaved():
            self.editor.name = name
            facts = self.editor.facts()
            written = facts.draft.rewritten() if facts is not None else None
            own = (
                facts is not None and facts.draft.source.path is not None and facts.judged.profile is not None
            )
            plain = written is not None and not written.lost_comments and not written.anew
            if not (own and plain and name not in self.editor.stale and self._save(keep_old=False)):
                self.picker.highlight(name)
                self.show_all()
                self.action_save()
                return False
        return True
