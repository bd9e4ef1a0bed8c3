"""The Textual app: holds the screens together, and sees to it that its own end never touches a run."""

from __future__ import annotations

import asyncio
import signal
import traceback
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType

from console.screens.backend import Backend
from console.screens.dialog import EchoingApp
from console.screens.help import Help, help_lines
from console.screens.home import Home
from console.screens.launch import Launch
from console.screens.leaving import Leaving
from console.screens.live import Live
from console.screens.pane import Pane
from console.screens.results import Results
from console.screens.terminal import leave_soon, watched_terminal
from console.vocabulary.safe_text import safe_text


class StartAt(NamedTuple):
    """The screen to open with."""

    screen: Literal["home", "live", "results"] = "home"
    run_dir: Path | None = None


class Closed(NamedTuple):
    """How the app ended."""

    leaving: Leaving | None
    """The run that was watched last, if one was."""
    exit_code: int
    """Not 0 only if it was ended from outside or failed."""


class ConsoleApp(EchoingApp[Leaving | None]):
    """The console. It holds no run: engines live in processes of their own."""

    CSS_PATH = "app.tcss"
    TITLE = "ultra-console"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave_console", "Leave", show=False, priority=False),
        Binding("ctrl+z", "nothing", show=False),
        Binding("ctrl+l", "repaint", "Paint the screen again", show=False, id="app.repaint"),
    ]

    def __init__(self, backend: Backend, start: StartAt | None = None) -> None:
        """Open with `start` (the first screen by default) on `backend`."""
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (70, "-narrow"), (100, "-normal"), (140, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-tiny"), (15, "-short"), (36, "-tall")]
        self._backend = backend
        self._start = start or StartAt()

    async def on_mount(self) -> None:
        """Open the first screen and listen for signals."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by_signal, number)
        run_dir = self._start.run_dir
        if self._start.screen == "live" and run_dir is not None:
            await self.push_screen(Live(self._backend, run_dir))
        elif self._start.screen == "results" and run_dir is not None:
            await self.push_screen(Results(self._backend, run_dir))
        else:
            await self.push_screen(Home(self._backend))

    def action_home(self) -> None:
        """Go to the first screen; a run that was watched goes on."""
        if any(isinstance(screen, Home) for screen in self.screen_stack[:-1]):
            self.pop_screen()
        else:
            self.switch_screen(Home(self._backend))  # pyright: ignore[reportUnknownMemberType]

    def action_help(self) -> None:
        """Show the keys of the screen."""
        shown = self.screen
        notes = shown.HELP_NOTES if isinstance(shown, (Pane, Launch)) else ()
        self.push_screen(Help("keys", help_lines(shown, notes)))

    def action_leave_console(self) -> None:
        """Leave from a screen that has no way of its own to do so."""
        self.exit(None)

    def action_nothing(self) -> None:
        """Take no notice: suspending would leave a stopped process that still holds the terminal."""

    def action_repaint(self) -> None:
        """Paint everything again after noise on the line."""
        self.screen.refresh(layout=True)

    def leaving(self) -> Leaving | None:
        """Return how the run stands that a screen on the stack watches."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Pane) and screen.leaving():
                return screen.leaving()
        return None

    def _end_by_signal(self, number: signal.Signals) -> None:
        code = (
            0 if number == signal.SIGINT else 128 + number
        )  # an interrupt from outside is a detach, like Ctrl-C
        leave_soon(code)  # the line may be stalled, and the screen stuck in a write
        self.exit(self.leaving(), return_code=code)

    def _fatal_error(self) -> None:
        # Textual would print the local variables of every frame; keys must not be among them.
        self.panic(Text(safe_text(traceback.format_exc())))


def run_app(backend: Backend, start: StartAt | None = None) -> Closed:
    """Run the console on this terminal until it is left."""
    app = ConsoleApp(backend, start)
    with watched_terminal():
        leaving = app.run(mouse=False)
    return Closed(leaving, app.return_code or 0)
