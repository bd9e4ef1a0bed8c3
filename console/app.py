"""The Textual app: holds the screens together, and sees to it that its own end never touches a run."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollBar
from textual.widget import AwaitMount

from console.screens.backend import Backend
from console.screens.capacity.screen import Capacity
from console.screens.launch.screen import Launch
from console.screens.leaving import Leaving
from console.screens.line_driver import LineDriver
from console.screens.live.screen import Live
from console.screens.looks import THEMES, AsciiOnly, Looks
from console.screens.pane import PLACES, Pane, Place
from console.screens.parsed_styles import ParsedStyles
from console.screens.preferences import chosen_theme
from console.screens.profiles.screen import Profiles
from console.screens.results.screen import Results
from console.screens.runs.screen import Runs
from console.screens.serving import ServingApp
from console.screens.session import Session
from console.screens.terminal import leave_soon, wants_ascii, wants_colours, watched_terminal
from console.vocabulary.safe_text import safe_line, safe_text
from widgets.scroll_bar import WholeCells

_STEPS_BACK: Final = 32
ScrollBar.renderer = WholeCells  # Textual's own draws its ends with characters that ASCII has not


class StartAt(NamedTuple):
    """The screen to open with."""

    screen: Place = "launch"
    run_dir: Path | None = None
    """Of the run to watch, or whose results to show."""
    profile: str = "sim"


class Closed(NamedTuple):
    """How the app ended."""

    leaving: Leaving | None
    """The run that was watched last, if one was."""
    exit_code: int
    """Not 0 only if it was ended from outside or failed."""


class ConsoleApp(ServingApp[Leaving | None]):
    """The console. It holds no run: engines live in processes of their own."""

    CSS_PATH = "app.tcss"
    TITLE = "ultra-console"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="Show the keys"),
        Binding("q", "leave", "quit", id="app.leave", tooltip="Leave the console; runs go on"),
        Binding(
            "ctrl+c,ctrl+q",
            "leave",
            "quit",
            id="app.interrupt",
            tooltip="Leave the console; runs go on",
            show=False,
        ),
        Binding(
            "colon,ctrl+p",
            "palette",
            "commands",
            key_display=":",
            show=False,
            id="app.palette",
            tooltip="Find a command by a few letters, or type one",
        ),
        Binding("escape", "go_back", "back", show=False, id="app.back", tooltip="Go to the screen before"),
        Binding(
            "tab",
            "focus_next",
            "next",
            show=False,
            id="app.next",
            tooltip="Go to the next part of the screen",
        ),
        Binding(
            "shift+tab",
            "focus_previous",
            "previous",
            show=False,
            id="app.previous",
            tooltip="Go to the part before",
        ),
        Binding("ctrl+z", "nothing", show=False, id="app.no-stop"),
        Binding(
            "ctrl+l", "repaint", "repaint", show=False, id="app.repaint", tooltip="Paint the screen again"
        ),
        *(
            Binding(
                str(number), f"go({place!r})", place, show=False, id=f"go.{place}", tooltip=f"Go to {place}"
            )
            for number, place in enumerate(PLACES, 1)
        ),
    ]

    def __init__(self, backend: Backend, start: StartAt | None = None, looks: Looks | None = None) -> None:
        """Open with `start` (the first screen by default) on `backend`."""
        self.looks = looks = looks or Looks()
        super().__init__(driver_class=LineDriver, colours=looks.colours)
        self.stylesheet = ParsedStyles(variables=self.get_css_variables())
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = looks.theme
        if looks.ascii_only:
            self._filters.append(AsciiOnly())
        self.HORIZONTAL_BREAKPOINTS = [
            (0, "-thin"),
            (60, "-slim"),
            (70, "-narrow"),
            (100, "-normal"),
            (140, "-wide"),
        ]
        self.VERTICAL_BREAKPOINTS = [(0, "-tiny"), (15, "-short"), (36, "-tall")]
        start = start or StartAt()
        self._start = start
        self._been: deque[str] = deque(maxlen=_STEPS_BACK)
        self._going_back = False
        self.left_by_fault: Leaving | None = None
        """How the run stood that was watched when the console failed."""
        self.session = Session(
            backend,
            profile=start.profile,
            watched=start.run_dir if start.screen == "live" else None,
            shown=start.run_dir if start.screen == "results" else None,
        )
        screens: dict[Place, type[Pane]] = {
            "profiles": Profiles,
            "launch": Launch,
            "live": Live,
            "capacity": Capacity,
            "results": Results,
            "runs": Runs,
        }
        for place, screen in screens.items():
            self.add_mode(place, partial(screen, self.session))  # pyright: ignore[reportUnknownMemberType]

    @property
    def ascii_only(self) -> bool:
        """Whether nothing but ASCII may be drawn."""
        return self.looks.ascii_only

    async def on_mount(self) -> None:
        """Open the first screen and listen for signals."""
        if not self.is_headless:
            self._listen(asyncio.get_running_loop())
        await self.switch_mode(self._start.screen)

    def action_go(self, place: Place) -> None:
        """Go to a screen; the one in front stays as it is."""
        if isinstance(self.screen, Pane):
            self.switch_mode(place)

    def switch_mode(self, mode: str) -> AwaitMount:
        """Go to a screen, and remember the one before."""
        before = self.current_mode
        if before != mode and before in PLACES and not self._going_back:
            self._been.append(before)
        return super().switch_mode(mode)

    def action_go_back(self) -> None:
        """Go to the screen before this one."""
        if self._been and isinstance(self.screen, Pane):
            self._going_back = True
            try:
                self.switch_mode(self._been.pop())
            finally:
                self._going_back = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back only where there is one."""
        return bool(self._been) if action == "go_back" else True

    def action_leave(self) -> None:
        """Close the console, once every screen that has something to ask has been answered."""
        if isinstance(self.screen, Pane):
            self.session.detached = None
            self._leave_from(self._panes())

    def _leave_from(self, panes: list[Pane]) -> None:
        for place, pane in enumerate(panes):
            question = pane.leave_question()
            if question is not None:
                rest = panes[place + 1 :]
                self.switch_mode(pane.PLACE)
                self.push_screen(question, partial(self._leave_answered, pane, rest))
                return
        self.exit(self.leaving())

    def _leave_answered(self, pane: Pane, rest: list[Pane], value: str | None) -> None:
        if value and pane.leave_answered(value):
            self._leave_from(rest)

    def _panes(self) -> list[Pane]:
        """Return the screens that have been opened, the one in front first."""
        stacks: dict[str, list[Any]] = self._screen_stacks
        panes = [screen for stack in stacks.values() for screen in stack if isinstance(screen, Pane)]
        return sorted(panes, key=lambda pane: pane is not self.screen)

    def action_nothing(self) -> None:
        """Take no notice: suspending would leave a stopped process that still holds the terminal."""

    def action_repaint(self) -> None:
        """Paint everything again after noise on the line."""
        self.repaint()

    def run_line(self) -> str:
        """Return how the run goes on that is watched, in a few words."""
        live = self._live
        snapshot = None if live is None else live.view.snapshot
        if live is None or snapshot is None:
            return ""
        state = {"silent": "NO ANSWER", "gone": "ENGINE GONE"}.get(live.view.standing, snapshot.state.upper())
        return f"{safe_line(snapshot.title, 20)} {state} {snapshot.done}/{snapshot.planned}"

    @property
    def _live(self) -> Live | None:
        return next((pane for pane in self._panes() if isinstance(pane, Live)), None)

    def leaving(self) -> Leaving | None:
        """Return how the run stands that was watched last."""
        watching = (pane.leaving() for pane in self._panes() if isinstance(pane, Live | Capacity))
        return next(filter(None, watching), None) or self.session.leaving

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """End by signals. The loop's own way to hear them would not be heard while the loop is stuck."""

        def told(number: int, _frame: object) -> None:
            code = 0 if number == signal.SIGINT else 128 + number  # an interrupt is a detach, like Ctrl-C
            leaving = self.leaving()
            leave_soon(code, () if leaving is None else leaving.lines())
            loop.call_soon_threadsafe(self._end, code)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as of nohup
                signal.signal(number, told)

    def _end(self, code: int) -> None:
        self.exit(self.leaving(), return_code=code)

    def _fatal_error(self) -> None:
        # Textual would print the local variables of every frame; keys must not be among them.
        self.left_by_fault = self.leaving()
        told = "The console has failed, and that is its own fault. No run is touched by it.\n\n"
        self.panic(Text(told + safe_text(traceback.format_exc())))


def run_app(backend: Backend, start: StartAt | None = None) -> Closed:
    """Run the console on this terminal until it is left."""
    looks = Looks(ascii_only=wants_ascii(), colours=wants_colours(), theme=chosen_theme())
    app = ConsoleApp(backend, start, looks)
    with watched_terminal():
        leaving = app.run(mouse=False)
    return Closed(leaving or app.left_by_fault, app.return_code or 0)
