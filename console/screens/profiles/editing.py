"""How keys change the profile in front, and go about the panes."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from console.profile.draft import Draft, judge
from console.profile.tables import Table as RawTable
from console.screens.filter_line import FilterLine
from console.screens.profiles.limits import complaint, toggled, typed
from console.screens.profiles.parts import LimitsTable, Picker, Switches
from console.screens.profiles.showing import ShowingPane
from console.screens.profiles.switches import with_switches
from widgets.check_tree import CheckTree
from widgets.edit_table import EditTable

_MOST_PROMPT_TYPES = 3
"""baseline, cot, optimal: the totals can be seen for as many in one job."""


class EditingPane(ShowingPane):
    """Takes what is typed."""

    _filtered: Picker | Switches | None = None

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "e",
            "edit",
            "edit",
            id="profiles.edit",
            tooltip="Edit the profile: its limits, keys and deployments",
        ),
        Binding("escape", "back", "back", id="profiles.back", tooltip="Back to the list of profiles"),
        Binding("tab", "next_part(1)", "next", id="profiles.next", tooltip="Next pane", show=False),
        Binding(
            "shift+tab",
            "next_part(-1)",
            "previous",
            id="profiles.previous",
            tooltip="Previous pane",
            show=False,
        ),
        Binding(
            "m",
            "switch_mode",
            "mode",
            id="profiles.mode",
            tooltip="Switch between the rate modes fixed and adaptive",
        ),
        Binding(
            "space",
            "toggle_cell",
            "switch",
            id="profiles.toggle",
            tooltip="Turn round the choice under the cursor",
        ),
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            id="profiles.filter",
            tooltip="Show only what has some words",
            show=False,
        ),
        Binding("u", "undo", "undo", id="profiles.undo", tooltip="Undo the last change"),
        Binding("ctrl+r", "redo", "redo", id="profiles.redo", tooltip="Do again what was undone", show=False),
        Binding(
            "t",
            "prompt_types",
            "prompt types",
            id="profiles.prompts",
            tooltip="Totals for 1, 2 or 3 prompt types in a job",
            show=False,
        ),
    ]

    # Editing

    def put(self, draft: Draft) -> None:
        """Let another draft be in front, and tell launches of it."""
        self.editor.put(draft)
        self.said = ""
        self.tell_session()
        self.show_all()

    def tell_session(self) -> None:
        """Let a launch use the profile as it is seen; what cannot be told it is left out, and said when it is chosen."""
        self.session.changes = self.editor.session_changes(self.session.profile) or ()

    def edit_table(self, table: RawTable) -> None:
        """Change the draft in front."""
        draft = self.editor.draft
        if draft is not None:
            self.put(draft.edited(table))

    def judge_cell(self, row: str, column: str, text: str) -> str | None:
        """Judge a cell as it is typed, and show what it would come to."""
        facts = self.editor.facts()
        if facts is None:
            return "there is no profile"
        wrong = complaint(facts.draft, facts.judged, row, column, text)
        if wrong is None:
            self.show_totals(judge(typed(facts.draft, row, column, text), facts.draft.source).profile)
        else:
            self.show_totals()
        return wrong

    @on(EditTable.CellEdited, "#limits")
    def cell_edited(self, event: EditTable.CellEdited) -> None:
        """Take a figure."""
        draft = self.editor.draft
        if draft is not None:
            self.edit_table(typed(draft, event.row, event.column, event.text))

    @on(LimitsTable.TypingEnded)
    def typing_ended(self) -> None:
        """Show the totals of what is there."""
        self.show_totals()

    @on(EditTable.CellHighlighted, "#limits")
    def cell_highlighted(self) -> None:
        """Show the totals of its class first."""
        self.show_totals()
        self.refresh_bindings()

    @on(CheckTree.Toggled, "#switches")
    def switched(self, event: CheckTree.Toggled) -> None:
        """Switch keys and deployments."""
        draft = self.editor.draft
        if draft is not None:
            self.edit_table(with_switches(draft.now, event.checked))

    def action_switch_mode(self) -> None:
        """Change the rate mode."""
        draft = self.editor.draft
        if draft is not None:
            mode = "fixed" if draft.now.get("rate_mode", "fixed") == "adaptive" else "adaptive"
            table: RawTable = {**draft.now, "rate_mode": mode}
            if mode == "fixed" and "rate_mode" not in draft.saved:
                del table["rate_mode"]
            self.edit_table(table)

    def action_toggle_cell(self) -> None:
        """Turn round a choice of two."""
        draft, place = self.editor.draft, self.limits.highlighted
        table = toggled(draft, *place) if draft is not None and place is not None else None
        if table is not None:
            self.edit_table(table)

    def action_undo(self) -> None:
        """Go back by one change."""
        if self.editor.draft is not None:
            self.put(self.editor.draft.undone())

    def action_redo(self) -> None:
        """Go forth by one change."""
        if self.editor.draft is not None:
            self.put(self.editor.draft.redone())

    def action_prompt_types(self) -> None:
        """Show the totals for another number of prompt types."""
        self.prompt_types = self.prompt_types % _MOST_PROMPT_TYPES + 1
        self.show_totals()

    # Going about

    def action_edit(self) -> None:
        """Go to the limits."""
        self.add_class("editing")
        self.limits.focus()
        self.show_totals()

    def action_back(self) -> None:
        """Go to the list."""
        self.remove_class("editing")
        self.picker.focus()
        self.show_totals()

    def action_filter(self) -> None:
        """Look for words in the tree, or in the list of profiles."""
        self._filtered = self.switches if self.focused is self.switches else self.picker
        self.query_one(FilterLine).open(self._filtered.filter_text, "words to look for")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Show only what has these words."""
        if self._filtered is not None:
            self._filtered.filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go back to what was filtered."""
        if self._filtered is not None:
            self._filtered.focus()

    def action_next_part(self, step: int) -> None:
        """Go to the next pane that is in sight."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with the profile in front."""
        draft = self.editor.draft
        if action in ("edit", "switch_mode"):
            return draft is not None and not (action == "edit" and self.focused is self.limits)
        if action == "filter":
            return self.focused in (self.picker, self.switches)
        if action == "back":
            return self.focused is not self.picker
        if action == "undo":
            return draft is not None and bool(draft.past)
        if action == "redo":
            return draft is not None and bool(draft.future)
        if action == "toggle_cell":
            place = self.limits.highlighted
            return (
                self.focused is self.limits and place is not None and place[1] in ("prompt_multiplier", "per")
            )
        return super().check_action(action, parameters)
