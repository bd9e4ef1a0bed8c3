"""The capacity screen: a form for a search, the search while it goes on, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import anyio
import anyio.to_thread
from textual import events, on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from console.screens.capacity.asking import Asking
from console.screens.capacity.copied import copied_text
from console.screens.capacity.face import Face, SearchShown
from console.screens.capacity.keys import CAPACITY_KEYS, NOTES
from console.screens.capacity.needs import Found
from console.screens.capacity.reasons import Mode, why_not
from console.screens.capacity.shown import answer_text_lines, of_found, of_snapshot
from console.screens.counted import counted
from console.screens.live.figures import OVER
from console.screens.live.lanes import Picked
from console.screens.live.notices import notices
from console.screens.question import Answer, Question
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.level import LevelOutcome
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import Snapshot
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.table import Table

REFRESH_S = 1.0
"""From one answer to the next look at first."""
LOW: Final = 20
"""Lines of a screen below which there is no room for the curve."""
WRITTEN_AFTER_S = 0.3
"""From the end of the journal to its result in a file."""


class Capacity(Asking, inherit_bindings=False):
    """Asks for a search, follows it, and shows what it found."""

    PLACE = "capacity"
    CSS_PATH = "capacity.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#form"
    HELP_NOTES: ClassVar[tuple[str, ...]] = NOTES
    BINDINGS: ClassVar[list[BindingType]] = CAPACITY_KEYS

    def __init__(self, session: Session) -> None:
        """Show the search that the session says, or a form for one."""
        super().__init__(session, REFRESH_S)
        self.face = Face(ascii_only=self.ascii_only)
        self.notice = Paragraphs(id="notice")
        self._mode: Mode = "form"
        self._found: Found | None = None
        self._found_of: Path | None = None
        self._noticed: Path | None = None
        self._covered: Path | None = None
        """The search that the form was opened over."""
        self._subject: str | None = None
        """The lanes that are shown; None: those that the search is at."""
        self._level: int | None = None
        """Number of the level that is shown in full."""
        self._keys_shown = ""

    def compose_body(self) -> Iterable[Widget]:
        """Lay out the form and what it comes to, and the search in the same place."""
        yield self.notice
        with Horizontal(id="asking"):
            self.form.border_title = "a search"
            yield self.form
            self.prospect.border_title = "what it would do"
            yield self.prospect
        yield from self.face.compose()

    # What is shown

    async def on_screen_resume(self) -> None:
        """Show the search that the session says; where it says none, the newest that goes on, or the form."""
        session = self.session
        if session.watched is not None and session.watched != self._noticed:
            self._noticed = session.watched
            if await self._standing_of(session.watched) == "live":
                session.search = session.watched
        if session.search is None and self._covered is None:
            session.search = await anyio.to_thread.run_sync(self._needs.newest)
        await self._show_wanted()

    async def show_started(self, run_dir: Path) -> None:
        """Watch a search that was started here."""
        self.session.search = self.session.watched = self._noticed = run_dir
        self._covered = None
        await self._show_wanted()

    async def _show_wanted(self) -> None:
        wanted = self.session.search
        standing = "other" if wanted is None else await self._standing_of(wanted)
        if wanted is None or standing == "other":
            await self._show_asking()
        elif standing == "live" or (wanted == self._run_dir and self.view.standing == "live"):
            self._enter("live")
            self.session.watched = self._noticed = wanted
            if wanted != self._run_dir or self.view.standing in ("ended", "gone"):
                await self._attend(wanted)
            else:
                self._start_following()
        else:
            self._stop_following()
            self._enter("over")
            if wanted != self._found_of:
                self.face.begin(f" reading {safe_line(wanted.name, 100)}")
            self.run_worker(partial(self._read, wanted, 0.0), group="read", exclusive=True)
        self.draw()

    async def _standing_of(self, run_dir: Path) -> str:
        return await anyio.to_thread.run_sync(self._needs.standing, run_dir)

    async def _show_asking(self) -> None:
        self._stop_following()
        self._enter("form")
        self.renew()

    def _enter(self, mode: Mode) -> None:
        if mode == "form" or self._mode == "form":
            self._subject = None
        if mode != self._mode:
            self._close_level()
        self._mode = mode
        self.set_class(mode != "form", "-search")
        self.set_class(mode == "over", "-over")
        self._focus_on(self.form if mode == "form" else self.face.levels)
        self.refresh_bindings()

    def begin(self) -> None:
        """Show that another search is watched from now on."""
        if self._mode == "live":
            self.face.begin(" connecting to the search")

    async def _read(self, run_dir: Path, after_s: float) -> None:
        await anyio.sleep(after_s)
        try:
            found = await anyio.to_thread.run_sync(self._needs.found, run_dir, abandon_on_cancel=True)
        except ConsoleError as error:
            self.say("; ".join(line.strip() for line in error.lines()), "bad")
            return
        if self._mode == "over":
            self._found, self._found_of = found, run_dir
            self.draw()
            self.refresh_bindings()

    def _go_on_after_the_end(self) -> None:
        """Show what it found, once that is written."""
        if self._closes_at_end:
            self.close_console(self.leaving())
        elif self._mode == "live" and self._run_dir is not None:
            self._end_told = True
            self.session.leaving = self.leaving()
            self._enter("over")
            self.run_worker(partial(self._read, self._run_dir, WRITTEN_AFTER_S), group="read", exclusive=True)
            self.draw()

    # Drawing

    def on_resize(self, event: events.Resize) -> None:
        """Show more where there is room."""
        self.set_class(self.size.height < LOW, "-low")
        self.call_after_refresh(self._show_form if self._mode == "form" else self.draw)

    def draw(self) -> None:
        """Show what is known now."""
        if not self.is_mounted:
            return
        self.notice.show(self._notices())
        if self._mode != "form":
            if self.view.standing == "gone" and self._mode == "live":
                self._go_on_after_the_end()
                return
            shown = self._shown
            if shown is not None:
                wide = self.has_class("-wide") and not self.has_class("-low")
                shown = replace(shown, said=self.said)
                self.face.show(shown, low=self.has_class("-low"), wide=wide)
                self._draw_level()
        self._draw_keys()

    @property
    def _shown(self) -> SearchShown | None:
        """The search as it is shown now; None: nothing is known of it."""
        width = self.face.width
        if self._mode == "over" and self._found is not None and self._found_of == self.session.search:
            return of_found(self._found, self._subject, width)
        snapshot = self._search_snapshot
        if snapshot is None:
            return None
        return of_snapshot(
            snapshot, self._subject, width, self.view.standing, self.pace.text, over=self._mode == "over"
        )

    @property
    def _search_snapshot(self) -> Snapshot | None:
        snapshot = self.view.snapshot
        return snapshot if snapshot is not None and self._run_dir == self.session.search else None

    def _notices(self) -> Sequence[Paragraph]:
        if self.said and (self._mode == "form" or self._shown is None):
            return [Paragraph(self.said, 1)]
        if self._mode == "form":
            fault = self._fault if self.has_class("-thin") or self.has_class("-slim") else ""
            return [paragraph(f" ! {safe_line(fault, 300)}", "bad", 3)] if fault else []
        if self._mode == "live":
            return notices(self.view, self._run_dir, ())
        if self._found is not None and self._found.can_go_on and self._found_of == self.session.search:
            how = "killed" if self._found.state == "partial" else "stopped"
            return [paragraph(f" it was {how} before it had its answer: r goes on with it", "warn", 1)]
        return []

    def _draw_keys(self) -> None:
        """Show which keys work now, where they are others than before."""
        snapshot = self.view.snapshot
        keys = f"{self._mode} {self.view.standing} {snapshot.state if snapshot else ''} {self._level}"
        if keys != self._keys_shown:
            self._keys_shown = keys
            self.refresh_bindings()

    # One level in full

    @property
    def _levels(self) -> tuple[LevelOutcome, ...]:
        shown = self._shown
        return () if shown is None else shown.search.levels

    @on(Table.RowChosen, "#levels")
    def level_chosen(self, event: Table.RowChosen) -> None:
        """Show all about the level under the cursor."""
        self._level = int(event.row_id)
        self.add_class("-level")
        if not self.has_class("-wide"):
            self._focus_on(self.face.level)
        self.call_after_refresh(self._draw_level)
        self.refresh_bindings()

    @on(Table.RowHighlighted, "#levels")
    def level_highlighted(self, event: Table.RowHighlighted) -> None:
        """Where a level is shown in full beside the table, show this one."""
        if self._level is not None:
            self._level = int(event.row_id)
            self._draw_level()

    def _draw_level(self) -> None:
        level = next((one for one in self._levels if one.number == self._level), None)
        if level is not None:
            self.face.open_level(level)

    def _close_level(self) -> None:
        self._level = None
        self.remove_class("-level")
        self.face.close_level()
        if self._mode != "form":
            self._focus_on(self.face.levels)

    def _focus_on(self, widget: Widget) -> None:
        """Put the keys into a part once it is shown: before, it takes none."""
        self.call_after_refresh(widget.focus)

    # Keys

    @property
    def picked(self) -> Picked | None:
        """No lanes: a search cannot be tuned."""
        return None

    @property
    def selects(self) -> bool:
        """Nothing is selected here."""
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something now."""
        mode = self._mode
        match action:
            case "start":
                return mode == "form" and not self._starting
            case "pause_run" | "resume_run" | "stop_run":
                return mode == "live" and super().check_action(action, parameters)
            case "go_on":
                found = self._found if self._found_of == self.session.search else None
                return mode == "over" and found is not None and found.can_go_on and not self._starting
            case "new":
                return mode != "form"
            case "next_subject":
                shown = self._shown if mode != "form" else None
                return shown is not None and len(shown.search.subjects) > 1
            case "detach":
                return mode == "live"
            case "copy":
                return mode == "form" or bool(self._levels)
            case "back":
                return self._level is not None or (mode == "form" and self._covered is not None)
            case _:
                return True

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        snapshot = self.view.snapshot
        return why_not(
            action,
            self._mode,
            state="" if snapshot is None or snapshot.state in OVER else snapshot.state,
            standing=self.view.standing,
            going_on=self._covered is not None,
        )

    def _stop_question(self, label: str) -> Question:
        kept = f"What is over is kept ({counted(len(self._levels), 'level')}): r goes on from there."
        text = ("The level under way is lost, and there is no answer.", kept)
        answers = (Answer(("y",), label, "stop"),)
        return Question("Stop the search?", text, answers, way_out="let it run", way_out_keys=("escape", "n"))

    async def action_new(self) -> None:
        """Show the form; the search goes on."""
        self._covered, self.session.search = self.session.search, None
        await self._show_wanted()

    async def action_back(self) -> None:
        """Close the level; from a form over a search go back to that."""
        if self._level is not None:
            self._close_level()
            self.refresh_bindings()
            self.draw()
        else:
            self.session.search, self._covered = self._covered, None
            await self._show_wanted()

    async def action_detach(self) -> None:
        """Leave the console, as q does."""
        await self.run_action("app.leave")

    def action_next_subject(self) -> None:
        """Show another set of lanes."""
        shown = self._shown
        if shown is not None:
            names = shown.search.subjects
            self._subject = names[(names.index(shown.search.subject) + 1) % len(names)]
            self._close_level()
            self.face.levels.follow()
            self.draw()

    def action_go_on(self) -> None:
        """Go on with the search that is shown."""
        if self.session.search is not None and not self._starting:
            self._starting = True
            self.say("starting the engine", "accent")
            self.run_worker(partial(self._go_on, self.session.search), group="start", exclusive=True)

    async def _go_on(self, run_dir: Path) -> None:
        try:
            started = await anyio.to_thread.run_sync(self._needs.resume, run_dir)
        except ConsoleError as error:
            self.say("; ".join(line.strip() for line in error.lines()), "bad")
            return
        finally:
            self._starting = False
        await self.show_started(started)

    def action_copy(self) -> None:
        """Copy the command line, or the levels and the answer."""
        shown = None if self._mode == "form" else self._shown
        if shown is None:
            self.copy_command()
        else:
            self._console_app.copy_to_clipboard(copied_text(shown.levels, answer_text_lines(shown)))
            self.say(f"copied: {counted(len(shown.levels), 'level')} and the answer", "muted")
