"""Launch: what is to run, how, and what comes of it, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import anyio.to_thread
from textual import events, on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from console.screens.ask_line import AskLine
from console.screens.filter_line import FilterLine
from console.screens.launch import wall_clock
from console.screens.launch.boxes import CommandBox, Picker
from console.screens.launch.choice_tree import ChoiceTree
from console.screens.launch.choosing import AXES, PHASE, checked_leaves, leaf, picked, picks_of
from console.screens.launch.command_line import command_line
from console.screens.launch.confirm import Confirm
from console.screens.launch.keys import LAUNCH_KEYS
from console.screens.launch.needs import Asked, Planned
from console.screens.launch.options import OptionName, entered, entry_of, option_lines, stepped
from console.screens.launch.plan_pane import PlanPane
from console.screens.launch.planner import Planner
from console.screens.launch.played import ComparisonBox, RehearsalBox
from console.screens.launch.reasons import why_not
from console.screens.launch.settings import Settings
from console.screens.launch.standing import Standing, error_lines
from console.screens.launch.state import Wishes, nothing_asked
from console.screens.launch.tree import PHASES, branch_of, phase_under, tree_nodes
from console.screens.pane import Pane
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from widgets.check_tree import CheckTree
from widgets.text_lines import TextLines

_TALL: Final = 36
"""Rows from which all settings are in sight."""
_PANES: Final = ("#tree", "#settings", "#plan")


class Launch(Pane):
    """Phases and what of them is picked, settings, and the plan that they make."""

    PLACE = "launch"
    CSS_PATH = "launch.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#tree"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "What is picked on a branch replaces the phases' own values there, in every phase that is chosen.",
        "Counts are tests under the chosen profile, reused ones included.",
    )
    BINDINGS: ClassVar[list[BindingType]] = LAUNCH_KEYS

    def __init__(self, session: Session) -> None:
        """Begin with nothing chosen."""
        super().__init__(session)
        self._needs = session.backend.launch
        self._wishes = Wishes()
        self._planner = Planner(self._needs)
        self._standing = Standing()
        self._profile = ""

    def compose_body(self) -> Iterable[Widget]:
        """Lay out the choice and the settings on the left, the plan on the right."""
        ascii_only = self.ascii_only
        yield TextLines((), id="notice")
        with Horizontal():
            with Vertical(id="left"):
                tree = ChoiceTree(
                    opened=(PHASES,),
                    noun="choices",
                    ascii_only=ascii_only,
                    empty_text="reading phases",
                    id="tree",
                )
                tree.border_title = "what to run"
                yield tree
                yield FilterLine(id="filter")
                settings = Settings(ascii_only=ascii_only, id="settings")
                settings.border_title = "how to run it"
                yield settings
            plan = PlanPane(ascii_only=ascii_only, id="plan")
            plan.border_title = "plan"
            yield plan

    @property
    def asked(self) -> Asked:
        """What a launch would be asked to do now."""
        return self._wishes.asked(self.session.profile, self.session.changes)

    # What comes to it

    def on_mount(self) -> None:
        """Show the settings."""
        self._show_settings()

    def on_screen_resume(self) -> None:
        """Read everything again: the profile may be another one, or have changed."""
        if self._profile != self.session.profile:
            self._profile = self.session.profile
            self._wishes.forget_cures()
        self._standing.of = None
        self._renew(self._standing.word)
        self.run_worker(self._look_for_live, group="live", exclusive=True)

    def on_resize(self, event: events.Resize) -> None:
        """Show all settings, and higher charts, where there is room."""
        self._show_settings()
        self._show_plan(keep_place=True)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Where only one side has room, show the one that is worked on."""
        self.set_class(event.widget.id == "plan", "-on-plan")
        self.set_class(event.widget.id == "settings", "-on-settings")
        self.refresh_bindings()

    @on(CheckTree.Toggled)
    def choice_toggled(self, event: CheckTree.Toggled) -> None:
        """Take the new choice."""
        picks = picks_of(self._standing.matrix, self._wishes.now.picks, event.checked)
        self._wishes.pick(picks)
        event.tree.check(
            checked_leaves(self._standing.matrix, picks)
        )  # a phase with an error stays unchecked
        self._renew()

    @on(CheckTree.NodeHighlighted)
    def choice_highlighted(self, event: CheckTree.NodeHighlighted) -> None:
        """Tell what is wrong with a phase under the cursor."""
        self._show_plan(keep_place=True)
        self.refresh_bindings()

    @on(Settings.Stepped)
    def setting_stepped(self, event: Settings.Stepped) -> None:
        """Change a setting."""
        self._set(stepped(self._wishes.now.settings, event.name, event.step))

    @on(Settings.Entered)
    def setting_entered(self, event: Settings.Entered) -> None:
        """Type a setting, choose it, or take its next value."""
        name, settings = event.name, self._wishes.now.settings
        if name == "reuse":
            self.run_worker(self._choose_earlier, group="earlier", exclusive=True)
            return
        entry = entry_of(settings, name)
        if entry is None:
            self._set(stepped(settings, name, 1))
            return
        fault = partial(_fault, settings, name)
        box = AskLine(entry.title, (entry.hint,), fault, does="take it", value=entry.text)
        self.open_screen(box, partial(self._typed, name))

    @on(Settings.Highlighted)
    def setting_highlighted(self, event: Settings.Highlighted) -> None:
        """Say what the setting means."""
        self.query_one("#settings").border_subtitle = event.hint

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Show what is left."""
        self.query_one(ChoiceTree).filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self, event: FilterLine.Left) -> None:
        """Go back to the tree; what is typed stays."""
        self.query_one(ChoiceTree).focus()

    @on(PlanPane.CureChosen)
    def cure_chosen(self, event: PlanPane.CureChosen) -> None:
        """Cure it if that is a setting of this screen."""
        planned = self._current
        if planned is None:
            return
        change = planned.warnings[event.warning].change
        if self._wishes.cure(change):
            self._renew(f"cured by {' '.join(change)}; u takes it back")
        else:
            self.tell("that is no setting of this screen: 1 opens the profile")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done now."""
        if action in ("compare", "rehearse", "print_command", "copy_command"):
            return self._sayable
        if action == "launch":
            return self._sayable or self._under_cursor is not None
        if action == "next_warning":
            return self._current is not None and bool(self._current.warnings)
        if action == "undo":
            return self._wishes.can_undo
        return True

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        planned, failed = self._current is not None, bool(self._standing.error)
        return why_not(action, emptied=self._wishes.now.picks.emptied, planned=planned, failed=failed)

    def tell(self, text: str) -> None:
        """Say it above the panes, until the next change."""
        self._standing.word = text
        self._show_notice()

    def action_launch(self) -> None:
        """Ask whether to start what is chosen, or the phase under the cursor where nothing is."""
        under = self._under_cursor
        if nothing_asked(self.asked) and not self._wishes.now.picks.emptied and under is not None:
            picks = self._wishes.now.picks
            self._wishes.pick(picks_of(self._standing.matrix, picks, {leaf(PHASE, under)}))
            self._renew()
        if self._sayable:
            asked = self.asked
            self.open_screen(Confirm(self._needs, asked, self._current), self._launched)

    def action_compare(self) -> None:
        """Compare policies."""
        self.open_screen(
            ComparisonBox(self._needs, self.asked, ascii_only=self.ascii_only), self._policy_taken
        )

    def action_rehearse(self) -> None:
        """Rehearse it."""
        self.open_screen(RehearsalBox(self._needs, self.asked, ascii_only=self.ascii_only))

    def action_print_command(self) -> None:
        """Show the command line."""
        self.open_screen(CommandBox(command_line(self.asked), self._copy))

    def action_copy_command(self) -> None:
        """Copy the command line."""
        self._copy(command_line(self.asked))

    def action_next_warning(self) -> None:
        """Go to the next warning of the plan."""
        plan = self.query_one("#plan", PlanPane)
        if plan.go_to_warning():
            plan.focus()

    def action_own_values(self) -> None:
        """Let each phase have its own values on the branch under the cursor."""
        branch = branch_of(self.query_one(ChoiceTree).highlighted or "")
        for axis in AXES:
            if axis == branch:
                self._wishes.pick(picked(self._wishes.now.picks, axis, None))
        self._renew()

    def action_undo(self) -> None:
        """Go back to the state before the last change."""
        if self._wishes.undo():
            self._renew()

    def action_filter(self) -> None:
        """Ask for words."""
        tree = self.query_one(ChoiceTree)
        self.query_one(FilterLine).open(tree.filter_text, "words to look for")

    def action_clear(self) -> None:
        """Drop the filter and go back to the tree."""
        tree = self.query_one(ChoiceTree)
        tree.filter("")
        tree.focus()

    def action_next_pane(self, step: int) -> None:
        """Go on to another pane."""
        focused = self.focused
        here = next((index for index, name in enumerate(_PANES) if focused is self.query_one(name)), 0)
        self.query_one(_PANES[(here + step) % len(_PANES)]).focus()

    # Within

    def _set(self, settings: Asked) -> None:
        self._wishes.set(settings)
        self._renew()

    def _typed(self, name: OptionName, text: str | None) -> None:
        if text is None:
            return
        settings = entered(self._wishes.now.settings, name, text)
        if not isinstance(settings, str):
            self._set(settings)

    def _policy_taken(self, policy: str | None) -> None:
        if policy is not None:
            self._set(replace(self._wishes.now.settings, policy=policy))

    def _earlier_taken(self, run_id: str | None) -> None:
        if run_id is not None:
            self._set(replace(self._wishes.now.settings, reuse=run_id))

    def _launched(self, run_dir: Path | None) -> None:
        if run_dir is not None:
            self.session.watched = run_dir
            self.go("live")

    def _copy(self, text: str) -> None:
        self._console_app.copy_to_clipboard(text)
        self.tell("the command is copied, where the terminal allows it; p shows it")

    @property
    def _current(self) -> Planned | None:
        return self._standing.current(self.asked)

    @property
    def _sayable(self) -> bool:
        """Whether the choice is one that a command line can say."""
        return not self._wishes.now.picks.emptied and not nothing_asked(self.asked)

    @property
    def _under_cursor(self) -> str | None:
        """The phase under the cursor, if it can be run and the tree is in focus."""
        tree = self.query_one(ChoiceTree)
        phase = phase_under(tree.highlighted, self._standing.matrix) if tree.has_focus else None
        return None if phase is None or phase.error is not None else phase.id

    def _renew(self, word: str = "") -> None:
        """Count and plan the choice as it is now; `word` is said until the next change."""
        self._planner.forget()
        self._standing.word = word
        self._show_settings()
        self._show_plan(keep_place=True)
        self._show_notice()
        self.refresh_bindings()
        self.run_worker(self._count, group="count", exclusive=True)
        self.run_worker(self._plan, group="plan", exclusive=True)

    async def _count(self) -> None:
        found = await anyio.to_thread.run_sync(self._needs.matrix, self.asked, abandon_on_cancel=True)
        tree, picks = self.query_one(ChoiceTree), self._wishes.now.picks
        first = not self._standing.counted
        self._standing.matrix, self._standing.counted = found, True
        tree.show(tree_nodes(found, picks), checked_leaves(found, picks))
        if first and found.phases:
            tree.highlight(leaf(PHASE, found.phases[0].id))
        self._show_plan(keep_place=True)
        self._show_notice()
        self.refresh_bindings()

    async def _plan(self) -> None:
        asked = self.asked
        if not self._standing.is_planning(asked, self._wishes.now.picks):
            return
        try:
            planned = await self._planner.plan(asked)
        except ConsoleError as error:
            self._standing.took_error(asked, error_lines(error))
        else:
            if planned is None:
                return
            self._standing.took_plan(asked, planned, wall_clock.now())
        self._show_plan()
        self.refresh_bindings()

    async def _look_for_live(self) -> None:
        self._standing.live = await anyio.to_thread.run_sync(
            self.session.backend.live.newest, abandon_on_cancel=True
        )
        self._show_notice()

    async def _choose_earlier(self) -> None:
        names = await anyio.to_thread.run_sync(self._needs.earlier, abandon_on_cancel=True)
        picker = Picker("reuse results of", names, "no run has been made yet")
        self.open_screen(picker, self._earlier_taken)

    def _show_settings(self) -> None:
        settings = self.query_one("#settings", Settings)
        settings.show(option_lines(self._wishes.now.settings), roomy=self.size.height >= _TALL)

    def _show_notice(self) -> None:
        self.query_one("#notice", TextLines).show_lines((self._standing.notice(self.asked),))

    def _show_plan(self, *, keep_place: bool = False) -> None:
        asked, picks = self.asked, self._wishes.now.picks
        under = phase_under(self.query_one(ChoiceTree).highlighted, self._standing.matrix)
        plan = self.query_one("#plan", PlanPane)
        document = self._standing.document(
            asked, picks, under, tall=self.size.height >= _TALL, ascii_only=self.ascii_only
        )
        plan.show(document, keep_place=keep_place)
        plan.border_title = self._standing.title(asked, picks)


def _fault(settings: Asked, name: OptionName, text: str) -> str | None:
    found = entered(settings, name, text)
    return found if isinstance(found, str) else None
