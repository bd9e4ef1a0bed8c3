"""What the profiles screen shows of the profile in front, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from console.profile.draft import Draft
from console.profile.form import Profile
from console.screens.filter_line import FilterLine
from console.screens.pane import Pane
from console.screens.profiles.describe import (
    PICKER_COLUMNS,
    complaints_line,
    head_line,
    picker_rows,
)
from console.screens.profiles.editor import Editor, Facts, mode_in_force
from console.screens.profiles.limits import class_of, columns, complaint_text, rows
from console.screens.profiles.needs import ProfileChoice
from console.screens.profiles.parts import LimitsTable, Picker, Switches, TotalsPanel
from console.screens.profiles.switches import switch_nodes, switched_on
from console.screens.profiles.totals import lane_count, total_lines
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.table import Table
from widgets.text_lines import TextLines

_MOST_PROMPT_TYPES = 3
"""baseline, cot, optimal: the totals can be seen for as many in one job."""


class ShowingPane(Pane):
    """Shows the profile in front."""

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self.editor = Editor(name=session.profile)
        self.choices: list[ProfileChoice] = []
        self.said = ""
        """What was done last, until something else is."""
        self.after_load: Callable[[], None] | None = None
        """Done once the list has been read; a reading that is broken off by another one leaves it to that."""
        self._broken: dict[str, str] = {}
        self._shown = ""
        """The profile whose figures stand in the panes."""
        self.prompt_types = 1
        self.forced: str | None = None

    # Layout

    def compose_body(self) -> ComposeResult:
        """Lay out the head, what there is to say, and the panes."""
        ascii_only = self.ascii_only
        yield TextLines(id="head")
        yield Paragraphs(id="notice")
        with Container(id="body"):
            yield Picker(
                PICKER_COLUMNS, noun="profiles", ascii_only=ascii_only, empty_text="no profiles", id="picker"
            )
            yield LimitsTable(
                corner="class", check=self.judge_cell, digits_begin=False, ascii_only=ascii_only, id="limits"
            )
            yield TotalsPanel(ascii_only=ascii_only, id="totals")
            yield Switches(
                noun="keys and deployments", ascii_only=ascii_only, empty_text="no providers", id="switches"
            )
        yield FilterLine(id="filter")

    def on_mount(self) -> None:
        """Name the panes."""
        for name, title in (
            ("#picker", "profiles"),
            ("#limits", "limits of a lane"),
            ("#switches", "keys and deployments"),
        ):
            self.query_one(name).border_title = title
        self.query_one("#picker").focus()

    def on_resize(self) -> None:
        """Draw no borders where each line counts."""
        self.set_class(self.size.height < 20, "-low")
        if self.query_one("#limits").display is False and self.focused in (self.limits, self.switches):
            self.picker.focus()

    @property
    def picker(self) -> Picker:
        """The list of profiles."""
        return self.query_one("#picker", Picker)

    @property
    def limits(self) -> LimitsTable:
        """The table of limits."""
        return self.query_one("#limits", LimitsTable)

    @property
    def switches(self) -> Switches:
        """The tree of keys and deployments."""
        return self.query_one("#switches", Switches)

    @property
    def choice(self) -> ProfileChoice | None:
        """The profile in front, as it was listed."""
        return next((one for one in self.choices if one.name == self.editor.name), None)

    # Reading

    def on_screen_resume(self) -> None:
        """Read everything again; what is not saved stays."""
        self.read_again()

    async def load(self) -> None:
        """Read the list, and the files of what is open."""
        needs = self.session.backend.profiles
        try:
            self.choices = await anyio.to_thread.run_sync(needs.choices)
        except ConsoleError as error:
            self._say_trouble(error)
            return
        self.forced = needs.forced_mode()
        names = [one.name for one in self.choices]
        if self.editor.name not in names and names:
            self.editor.name = self.session.profile if self.session.profile in names else names[0]
        for name in dict.fromkeys((*self.editor.drafts, self.editor.name)):
            await self._read(name)
        self.picker.show(PICKER_COLUMNS, picker_rows(self.choices, self.editor, self.session.profile))
        self.picker.highlight(self.editor.name)
        self.show_all()
        then, self.after_load = self.after_load, None
        if then is not None:
            then()

    def read_again(self, then: Callable[[], None] | None = None) -> None:
        """Read the list and what is open, then do something."""
        self.after_load = then or self.after_load
        self.run_worker(self.load, group="load", exclusive=True)

    async def _read(self, name: str) -> None:
        if not name:
            return
        try:
            source = await anyio.to_thread.run_sync(self.session.backend.profiles.read, name)
            self.editor.take(name, source)
            self._broken.pop(name, None)
        except ConsoleError as error:
            if name not in self.editor.drafts:
                self._broken[name] = "\n".join(error.lines())

    @on(Table.RowHighlighted, "#picker")
    def profile_highlighted(self, event: Table.RowHighlighted) -> None:
        """Bring the profile under the cursor to the front."""
        if event.row_id != self.editor.name:
            self.said = ""
            self.run_worker(partial(self.bring, event.row_id), group="bring", exclusive=True)

    async def bring(self, name: str) -> None:
        """Bring a profile to the front."""
        self.editor.name = name
        await self._read(name)
        self.show_all()

    # Showing

    def show_all(self) -> None:
        """Show the profile in front as it stands now."""
        facts = self.editor.facts()
        self.picker.show(PICKER_COLUMNS, picker_rows(self.choices, self.editor, self.session.profile))
        if facts is None:
            self.limits.show((), ())
            self.switches.show((), ())
        else:
            draft = facts.draft
            self.limits.show(columns(), rows(draft, facts.judged, self.mode(draft)))
            show = self.switches.show if self._shown == self.editor.name else self.switches.show_opened
            show(switch_nodes(draft.now, draft.saved), switched_on(draft.now))
        self._shown = self.editor.name
        self.show_totals()
        self._show_head(facts)
        self._show_notice(facts)
        self.refresh_bindings()

    def show_totals(self, trial: Profile | None = None) -> None:
        """Show the totals of the profile in front, or of one that is being typed."""
        panel = self.query_one("#totals", TotalsPanel)
        facts, choice = self.editor.facts(), self.choice
        if facts is None:
            said = self._broken.get(self.editor.name) or (choice.error if choice is not None else None) or ""
            panel.show((), "", [safe_line(line, 300) for line in said.splitlines()])
            return
        profile = trial or facts.judged.profile
        mode = self.mode(facts.draft)
        types = "" if self.prompt_types == 1 else f", {self.prompt_types} prompt types"
        panel.border_title = f"effective totals: {safe_line(mode, 20)}{types}"
        if profile is None:
            panel.show((), "", [complaint_text(one) for one in facts.judged.complaints])
            return
        forced = mode_in_force(facts.draft, self.forced)
        row = self.limits.highlighted
        lines = total_lines(profile, facts.saved, mode=forced, prompt_types=self.prompt_types)
        panel.show(lines, class_of(row[0]) if row is not None and self.limits.display else "")

    def _show_head(self, facts: Facts | None) -> None:
        choice = self.choice
        if choice is None:
            self.query_one("#head", TextLines).show_lines(())
            return
        draft = facts.draft if facts is not None else None
        profile = facts.judged.profile if facts is not None else None
        mode = self.mode(draft) if draft is not None else choice.rate_mode
        forced = mode_in_force(draft, self.forced) if draft is not None else None
        lanes = 0 if profile is None else lane_count(profile, forced)
        line = head_line(choice, facts, self.session.profile, lanes, mode)
        self.query_one("#head", TextLines).show_lines((line,))

    def _show_notice(self, facts: Facts | None) -> None:
        lines: list[Paragraph] = []
        choice = self.choice
        if self.said:
            lines.append(paragraph(f" {safe_line(self.said, 300)}", "accent", 1))
        if facts is not None and facts.judged.complaints:
            lines.append(paragraph(f" ! {complaints_line(facts)}", "bad", 3))
        if self.editor.name in self.editor.stale:
            lines.append(
                paragraph(
                    " ! the file has changed since it was read; saving asks which is to stay", "warn", 3
                )
            )
        if facts is not None and mode_in_force(facts.draft, self.forced) is not None:
            lines.append(
                paragraph(f" RATE_MODE={self.forced} in the environment beats the profile", "warn", 1)
            )
        if not lines and choice is not None and choice.description and not self.has_class("-low"):
            lines.append(paragraph(f" {safe_line(choice.description, 200)}", "muted", 1))
        self.query_one("#notice", Paragraphs).show(lines)

    def _say_trouble(self, error: ConsoleError) -> None:
        shown = [paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()]
        self.query_one("#notice", Paragraphs).show(shown)

    def mode(self, draft: Draft) -> str:
        """Return the rate mode that a launch would use."""
        return mode_in_force(draft, self.forced) or str(draft.now.get("rate_mode", "fixed"))

    def say(self, text: str) -> None:
        """Say what was done, or why it was not."""
        self.said = text
        self._show_notice(self.editor.facts())

    def tell(self, text: str) -> None:
        """Say it above the panes."""
        self.say(text)

    def judge_cell(self, row: str, column: str, text: str) -> str | None:
        """Return what is wrong with a cell as it is typed."""
        raise NotImplementedError
