"""Profiles: edited, compared with their files, saved, tried out, and chosen for launches."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from console.profile.places import ProfileSource
from console.screens.profiles.changes import change_paragraphs
from console.screens.profiles.describe import finding_lines
from console.screens.profiles.filing import FilingPane
from console.screens.profiles.limits import complaint_text
from console.screens.profiles.probe import Probe
from console.screens.profiles.reasons import why_not
from console.screens.profiles.review import Review
from console.screens.profiles.setup import SIMULATOR, Setup
from console.screens.question import Answer, Question
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph
from widgets.table import Table


class Profiles(FilingPane):
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
            "y",
            "copy",
            "copy",
            id="profiles.copy",
            tooltip="Copy the profile and its changes as words of a command line",
            show=False,
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
            self.say("a launch cannot use a profile that is not valid: f says what is wrong")
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

    # Looking

    def action_show_changes(self) -> None:
        """Show what differs from the file."""
        facts = self.editor.facts()
        if facts is None:
            return
        if not facts.draft.changed:
            self.say("nothing differs from the file")
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
            self.say("what is not valid cannot be asked: f says what is wrong")
            return
        source: ProfileSource = replace(facts.draft.source, text=facts.draft.rewritten().text)
        self.open_screen(Probe(self.session.backend.profiles, source, ascii_only=self.ascii_only))

    def action_copy(self) -> None:
        """Copy what makes a command line use the profile as it is seen."""
        texts = () if self.editor.draft is None else self.editor.draft.texts()
        if texts is None:
            self.say("these changes cannot be said on a command line: save them")
            return
        words = ["--profile", self.editor.name]
        for text in texts:
            words += ["--set", text]
        self._console_app.copy_to_clipboard(shlex.join(words))
        self.say("copied: --profile, and --set for each change")

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

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        choice = self.choice
        return why_not(
            action,
            readable=self.editor.draft is not None,
            yours=choice is not None and choice.origin == "yours",
            in_list=self.focused is self.picker,
            in_limits=self.focused is self.limits,
        )

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
            return draft is not None and self.focused is self.picker
        if action == "save_as":
            return draft is not None and (draft.changed or self.focused is self.picker)
        if action == "show_findings":
            facts = self.editor.facts()
            return facts is not None and bool(facts.findings or facts.judged.complaints)
        if action in ("probe", "use", "copy"):
            return draft is not None
        return super().check_action(action, parameters)
