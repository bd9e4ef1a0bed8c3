"""Profiles: edited, compared with their files, saved, tried out, and chosen for launches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from console.profile.draft import Draft
from console.profile.places import ProfileSource
from console.profile.save import ChangedOnDisk
from console.profile.table_diff import with_value
from console.screens.profiles.ask_line import AskLine
from console.screens.profiles.changes import change_paragraphs
from console.screens.profiles.describe import finding_lines
from console.screens.profiles.editing import EditingPane
from console.screens.profiles.editor import Facts
from console.screens.profiles.limits import complaint_text
from console.screens.profiles.probe import Probe
from console.screens.profiles.review import Review
from console.screens.profiles.setup import SIMULATOR, Setup
from console.screens.question import Answer, Question
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph
from widgets.table import Table

_ASK_NAME = "Letters, digits, dots, dashes and underscores; it goes into your profiles directory."


class Profiles(EditingPane):
    """The first screen."""

    PLACE = "profiles"
    CSS_PATH = "profiles.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#picker"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "In the list: = is what launches use, * is not saved, x cannot be used.",
        "In the table: none is no limit, * differs from the file, ! is wrong. Figures hold for each lane, gates for all on them.",
        "What is not saved is used by launches all the same.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "L",
            "use",
            "launch with it",
            id="profiles.launch",
            tooltip="Use the profile, changes and all, and go to Launch",
            show=False,
        ),
        Binding("ctrl+s", "save", "save", id="profiles.save", tooltip="Write the changes into the file"),
        Binding(
            "w,S",
            "save_as",
            "as",
            id="profiles.save_as",
            tooltip="Write the profile as it is seen under another name",
        ),
        Binding("D", "show_changes", "diff", id="profiles.diff", tooltip="Show what differs from the file"),
        Binding(
            "p",
            "probe",
            "probe",
            id="profiles.probe",
            tooltip="Ask every key and deployment once whether it answers",
        ),
        Binding(
            "f",
            "show_findings",
            "findings",
            id="profiles.findings",
            tooltip="Show what is wrong, or valid and hardly meant",
        ),
        Binding(
            "n",
            "new",
            "new",
            id="profiles.new",
            tooltip="A new profile of yours, begun as a copy of this one",
        ),
        Binding(
            "N",
            "setup",
            "set up",
            id="profiles.setup",
            tooltip="Set a profile up for an endpoint, step by step",
            show=False,
        ),
        Binding(
            "r",
            "rename",
            "rename",
            id="profiles.rename",
            tooltip="Give a profile of yours another name",
            show=False,
        ),
        Binding(
            "d",
            "delete",
            "delete",
            id="profiles.delete",
            tooltip="Delete a profile of yours; its text is kept as NAME.toml~",
            show=False,
        ),
    ]

    _offered = False

    async def load(self) -> None:
        """Read everything, and offer the setup where it is the first start."""
        await super().load()
        if not self._offered and self.session.backend.profiles.is_first_start():
            self._offered = True
            self.open_screen(Setup(self.session.backend.profiles), self._first_set_up)

    # Choosing

    @on(Table.RowChosen, "#picker")
    def profile_chosen(self) -> None:
        """Use the profile under the cursor for launches."""
        self.action_use()

    def action_use(self) -> None:
        """Use the profile in front for launches, as it is seen."""
        facts = self.editor.facts()
        if facts is None or facts.judged.profile is None:
            self._say("a launch cannot use a profile that is not valid: f says what is wrong")
            return
        if facts.draft.texts() is None:
            self.open_screen(
                Question(
                    "A launch cannot use these changes before they are saved",
                    ("Something in them cannot be said as --set PATH=VALUE.",),
                    (Answer(("s",), "save them", "save"), Answer(("x",), "launch without them", "without")),
                ),
                self._use_answered,
            )
            return
        self._use()

    def _use_answered(self, answer: str | None) -> None:
        if answer == "save":
            self.action_save()
        elif answer == "without":
            self._use()

    def _use(self) -> None:
        self.session.profile = self.editor.name
        self.tell_session()
        self.go("launch")

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
            self._say("what is not valid is not saved: f says what is wrong")
        elif not facts.draft.changed:
            self._say("there is nothing to save")
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
            self._say(" ".join(error.lines()))
            return False
        self.editor.stale.pop(name, None)
        self.tell_session()
        self.show_all()
        where = safe_line(str(draft.source.path), 200)
        self._say(f"saved: {where}" + (f"; the old text is {safe_line(kept, 200)}" if kept else ""))
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
            self._say("theirs is loaded; u goes back to yours")
        except ConsoleError as error:
            self._say(" ".join(error.lines()))

    def action_save_as(self) -> None:
        """Write the profile as it is seen under another name, and go on with that one."""
        self._ask_name("save as", "save", partial(self._create, moves=True))

    def action_new(self) -> None:
        """Begin a new profile with this one as it is seen."""
        self._ask_name("new profile", "make it", partial(self._create, moves=False))

    def _ask_name(self, title: str, does: str, then: Callable[[str], None]) -> None:
        facts, needs = self.editor.facts(), self.session.backend.profiles
        if facts is None or facts.judged.profile is None:
            self._say("what is not valid is not saved: f says what is wrong")
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
            self._say(" ".join(error.lines()))
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
            self._say(said)

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
            self._say(" ".join(error.lines()))
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
            self._say(" ".join(error.lines()))
            return
        self.editor.drop(name)
        if self.session.profile == name:
            self.session.profile = SIMULATOR
        self._go_on_with(self.session.profile, f"deleted; the text is {safe_line(kept, 200)}")

    # Looking

    def action_show_changes(self) -> None:
        """Show what differs from the file."""
        facts = self.editor.facts()
        if facts is None:
            return
        if not facts.draft.changed:
            self._say("nothing differs from the file")
            return
        text = change_paragraphs(facts, facts.draft.rewritten())
        self.open_screen(
            Review(
                "changes", text, (Answer(("s",), "save", "save"), Answer(("x",), "take all back", "revert"))
            ),
            self._changes_answered,
        )

    def _changes_answered(self, answer: str | None) -> None:
        draft = self.editor.draft
        if answer == "save":
            self.action_save()
        elif answer == "revert" and draft is not None:
            self.put(draft.reverted())

    def action_show_findings(self) -> None:
        """Show what is wrong, or valid and hardly meant."""
        facts = self.editor.facts()
        if facts is None:
            return
        text = [paragraph(f"! {complaint_text(one)}", "bad", 2) for one in facts.judged.complaints]
        text += [paragraph(line, "bad" if bad else "warn", 2) for line, bad in finding_lines(facts.findings)]
        self.open_screen(Review("findings", text or [paragraph("nothing suspicious", "good")]))

    def action_probe(self) -> None:
        """Ask every lane once, of the profile as it is seen."""
        facts = self.editor.facts()
        if facts is None or facts.judged.profile is None:
            self._say("what is not valid cannot be asked: f says what is wrong")
            return
        source: ProfileSource = replace(facts.draft.source, text=facts.draft.rewritten().text)
        self.open_screen(Probe(self.session.backend.profiles, source, ascii_only=self.ascii_only))

    # The setup

    def action_setup(self) -> None:
        """Ask for an endpoint."""
        self.open_screen(Setup(self.session.backend.profiles, only_endpoint=True), self._set_up)

    def _first_set_up(self, name: str | None) -> None:
        if name is None or name == SIMULATOR:
            self.session.backend.profiles.put_setup_off()
            self.go("launch")
        else:
            self._set_up(name)

    def _set_up(self, name: str | None) -> None:
        """Check what was written, and offer to try it out."""
        if name is None:
            return

        def look() -> None:
            self.tell_session()
            facts = self.editor.facts()
            found = [] if facts is None else finding_lines(facts.findings)
            text = [
                paragraph(f"Your profile {safe_line(name, 80)} is written, and launches use it.", "strong"),
                Paragraph(()),
            ]
            text += [paragraph(line, "bad" if bad else "warn", 2) for line, bad in found]
            text += [] if found else [paragraph("profile check: nothing suspicious", "good")]
            answers = (
                Answer(("enter",), "go to Launch", "launch"),
                Answer(("p",), "ask it whether it answers", "probe"),
            )
            self.open_screen(Review("setup", text, answers, way_out="stay here"), self._look_answered)

        self.editor.name = self.session.profile = name
        self.read_again(look)

    def _look_answered(self, answer: str | None) -> None:
        if answer == "launch":
            self.go("launch")
        elif answer == "probe":
            self.action_probe()

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
                self._picker.highlight(name)
                self.show_all()
                self.action_save()
                return False
        return True

    def _say(self, text: str) -> None:
        self.said = text
        self._show_notice(self.editor.facts())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with the profile in front."""
        draft, choice = self.editor.draft, self.choice
        if action in ("save", "show_changes"):
            return draft is not None and draft.changed
        if action in ("rename", "delete"):
            return (
                choice is not None and choice.origin == "yours" and (action == "delete" or draft is not None)
            )
        if action == "new":
            return draft is not None and self.focused is self._picker
        if action == "save_as":
            return draft is not None and (draft.changed or self.focused is self._picker)
        if action == "show_findings":
            facts = self.editor.facts()
            return facts is not None and bool(facts.findings or facts.judged.complaints)
        if action in ("probe", "use"):
            return draft is not None
        return super().check_action(action, parameters)
