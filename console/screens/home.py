"""The first screen: profiles, phases and recent runs to choose from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Footer, OptionList

from console.screens.backend import Backend, PhaseChoice, ProfileChoice, RunChoice
from console.screens.choices import MARK_WIDTH, Choices
from console.screens.launch import Launch
from console.screens.live import Live
from console.screens.pane import Pane
from console.screens.results import Results
from console.screens.run_lines import run_lines
from console.screens.totals import totals_table
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.summary_table import SummaryTable, SummaryTables
from widgets.text_lines import Line, Run, TextLines, plain

_MARK = "> "
"""Before the title of the pane that has the keys."""


def now() -> datetime:
    """Return the local time, by which a list tells today from before."""
    return datetime.now().astimezone()


class Runs(Choices):
    """The list of runs, whose Enter opens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select",
            "open",
            key_display="enter",
            id="home.open",
            tooltip="Watch the run, or show its results",
        ),
    ]


class Home(Pane):
    """Lists what can be launched and what was; Enter opens or launches."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#phases"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "Enter on a profile or phase shows what a launch would do, and asks.",
        "Enter on a run watches it, or shows its results.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next list", id="home.next"),
        Binding("shift+tab", "app.focus_previous", "previous list", show=False, id="home.previous"),
        Binding(
            "enter", "choose", "launch/open", id="home.choose", tooltip="Launch the phase, or open the run"
        ),
        Binding("r", "reload", "reload", id="home.reload", tooltip="Read profiles, phases and runs again"),
        Binding("q", "leave", "quit", id="app.leave", tooltip="Quit; runs go on"),
        Binding("ctrl+c,ctrl+q", "leave", "quit", id="app.interrupt", tooltip="Quit; runs go on", show=False),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    def __init__(self, backend: Backend) -> None:
        """Choose from what `backend` has."""
        super().__init__()
        self._backend = backend
        self._profiles: list[ProfileChoice] = []
        self._phases: list[PhaseChoice] = []
        self._runs: list[RunChoice] = []
        self._loaded = False

    def compose(self) -> ComposeResult:
        """Lay out two columns of lists."""
        yield TextLines((plain(" ultra-console", "strong"),), id="headline")
        with Horizontal(id="lists"):
            with Vertical(id="left"):
                yield Choices("profiles", empty_text="no profiles", id="profiles")
                yield Choices("phases", empty_text="no phases", id="phases")
            with Vertical(id="right"):
                yield SummaryTables(id="totals")
                yield Runs("runs", empty_text="no runs yet: choose a phase, press Enter", id="runs")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Name the panes that are not lists."""
        self.query_one("#totals").border_title = "effective totals"

    def on_resize(self) -> None:
        """Write the runs at the new width."""
        if self._loaded:
            self.call_after_refresh(self._fill_runs)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Mark the pane that has the keys by more than its colour."""
        _mark_title(event.widget, marked=True)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Take the mark away."""
        _mark_title(event.widget, marked=False)

    def on_screen_resume(self) -> None:
        """Read everything again: runs come and go while other screens are shown."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read profiles, phases and runs."""
        self.run_worker(self._load(), group="load", exclusive=True)

    def action_leave(self) -> None:
        """Close the console; runs go on."""
        self.close_console(None)

    @on(OptionList.OptionHighlighted, "#profiles")
    def profile_highlighted(self) -> None:
        """Show the totals of the profile, and what its phases would run under it."""
        profile = self._chosen_profile()
        if profile is None:
            return
        self._fill_phases()
        if profile.error:
            self._show_errors(f"profile {profile.name}", profile.error)
            self._say(plain("this profile cannot be used: its errors are shown", "bad"))
        else:
            mode = f"{safe_line(profile.name, 40)} ({profile.rate_mode})"
            self._show_panel(f"effective totals: {mode}", totals_table("", profile.totals))
            said: list[Run] = [(" SIMULATED ", "badge"), (" ", "")] if profile.simulated else []
            said.append((safe_line(profile.description, 200), "muted"))
            self._say(tuple(said))

    @on(OptionList.OptionSelected, "#profiles")
    @on(OptionList.OptionSelected, "#phases")
    def launch_chosen(self) -> None:
        """Show what a launch of the highlighted profile and phase would do."""
        profile, place = self._chosen_profile(), self.query_one("#phases", Choices).highlighted
        if profile is None or place is None or place >= len(self._phases):
            self._say(plain("choose a profile and a phase", "warn"))
            return
        phase = self._phases[place]
        for what, error in ((f"profile {profile.name}", profile.error), (f"phase {phase.id}", phase.error)):
            if error:
                self._show_errors(what, error)
                self._say(plain(f"cannot launch: {safe_line(what, 60)} has errors, shown here", "bad"))
                return
        self.open_screen(Launch(self._backend, profile.name, phase.id), self._launched)

    @on(OptionList.OptionSelected, "#runs")
    def run_chosen(self, event: OptionList.OptionSelected) -> None:
        """Watch a live run, or show the results of one that is over."""
        if event.option_index >= len(self._runs):
            return
        run = self._runs[event.option_index]
        if run.kind == "live":
            self.open_screen(Live(self._backend, run.run_dir))
        else:
            self.open_screen(Results(self._backend, run.run_dir))

    def _launched(self, run_dir: Path | None) -> None:
        if run_dir is not None:
            self.open_screen(Live(self._backend, run_dir))

    async def _load(self) -> None:
        try:
            self._profiles = await anyio.to_thread.run_sync(self._backend.profiles)
            self._phases = await anyio.to_thread.run_sync(self._backend.phases)
            self._runs = await anyio.to_thread.run_sync(self._backend.runs)
        except ConsoleError as error:
            self._say(plain(f" {safe_line('; '.join(error.lines()), 300)}", "bad"))
            return
        self.query_one("#profiles", Choices).fill([_profile_text(profile) for profile in self._profiles])
        self._fill_phases()
        self._fill_runs()
        self._loaded = True

    def _fill_phases(self) -> None:
        profile = self._chosen_profile()
        name = profile.name if profile else ""
        self.query_one("#phases", Choices).fill([_phase_text(phase, name) for phase in self._phases])

    def _fill_runs(self) -> None:
        shown = self.query_one("#runs", Choices)
        width = shown.scrollable_content_region.width - MARK_WIDTH
        shown.fill(run_lines(self._runs, width, now()))

    def _show_errors(self, what: str, error: str) -> None:
        lines = tuple(safe_line(line, 500) for line in error.splitlines())
        self._show_panel(f"errors: {safe_line(what, 60)}", SummaryTable("", (), (), lines))

    def _show_panel(self, title: str, table: SummaryTable) -> None:
        panel = self.query_one("#totals", SummaryTables)
        panel.border_title = _MARK + title if panel.has_focus else title
        panel.show((table,))

    def _chosen_profile(self) -> ProfileChoice | None:
        place = self.query_one("#profiles", Choices).highlighted
        return self._profiles[place] if place is not None and place < len(self._profiles) else None

    def _say(self, line: Line) -> None:
        self.query_one("#headline", TextLines).show_lines((((" ultra-console  ", "strong"), *line),))


def _profile_text(profile: ProfileChoice) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("x " if profile.error else "", "bold")
    text.append(safe_line(profile.name, 60))
    if profile.origin != "built-in":
        text.append(f"  {profile.origin}", "dim")
    return text


def _phase_text(phase: PhaseChoice, profile: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("x " if phase.error else "", "bold")
    text.append(f"{safe_line(phase.id, 30):<4} ", "bold")
    if profile in phase.tests:
        text.append(f"{phase.tests[profile]:>6,} ")
    text.append(safe_line(phase.title, 60), "dim")
    return text


def _mark_title(widget: Widget, *, marked: bool) -> None:
    title = str(widget.border_title or "").removeprefix(_MARK)
    if title:
        widget.border_title = _MARK + title if marked else title
