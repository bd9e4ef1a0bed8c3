"""The first screen: profiles, phases and recent runs to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, OptionList

from console.screens.backend import Backend, PhaseChoice, ProfileChoice, RunChoice
from console.screens.choices import Choices
from console.screens.launch import Launch
from console.screens.live import Live
from console.screens.pane import Pane
from console.screens.results import Results
from console.screens.totals import totals_table
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.summary_table import SummaryTables
from widgets.text_lines import Line, Run, TextLines, plain


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
        mode = f"{safe_line(profile.name, 40)} ({profile.rate_mode})"
        totals = self.query_one("#totals", SummaryTables)
        totals.show((totals_table(mode, profile.totals),))
        self._fill_phases()
        if profile.error:
            self._say(plain(f"{safe_line(profile.error, 300)}", "bad"))
        else:
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
        error = profile.error or phase.error
        if error:
            self._say(plain(f" {safe_line(error, 300)}", "bad"))
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
        self.query_one("#runs", Choices).fill([_run_text(run) for run in self._runs])
        self._loaded = True

    def _fill_phases(self) -> None:
        profile = self._chosen_profile()
        name = profile.name if profile else ""
        self.query_one("#phases", Choices).fill([_phase_text(phase, name) for phase in self._phases])

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


def _run_text(run: RunChoice) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{run.kind:<11} ", "bold" if run.kind == "live" else "")
    text.append(f"{safe_line(run.title, 12):<5} {f'{run.done}/{run.planned}':<9}")
    mark = "SIMULATED " if run.simulated else ""
    text.append(f" {mark}{safe_line(run.started, 20)}  {safe_line(run.profile, 20)}", "dim")
    return text
