"""The form of a search: what is asked for, what that would do, and its start in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from textual import events, on

from console.screens.ask_line import AskLine
from console.screens.capacity.command_line import command_line
from console.screens.capacity.fields import (
    FieldName,
    entered,
    entry_of,
    fault_at,
    faults_of,
    fields_of,
    stepped,
)
from console.screens.capacity.forecast import forecast
from console.screens.capacity.form import Form
from console.screens.capacity.needs import Prospect, SearchAsked
from console.screens.capacity.prospect_lines import prospect_lines
from console.screens.live.control import Controlled
from console.screens.question import Answer, Question
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.text_view import TextView

REST_S: Final = 0.15
"""Of a field that is stepped quickly only the last value is asked about."""


class Asking(Controlled):
    """A screen on which a search is asked for."""

    def __init__(self, session: Session, every_s: float) -> None:
        """Begin with what the command does by itself."""
        super().__init__(session, every_s)
        self._needs = session.backend.capacity
        self.form = Form(ascii_only=self.ascii_only, id="form")
        self.prospect = TextView(ascii_only=self.ascii_only, empty_text="", id="prospect")
        self._wanted = SearchAsked()
        self._models: list[str] | None = None
        self._models_of: tuple[str, tuple[str, ...]] | None = None
        self._prospect: Prospect | None = None
        self._prospect_of: SearchAsked | None = None
        self._refusal: tuple[FieldName | None, str] | None = None
        self._starting = False

    @property
    def asked(self) -> SearchAsked:
        """What would be started now."""
        return replace(self._wanted, profile=self.session.profile, changes=self.session.changes)

    async def show_started(self, run_dir: Path) -> None:
        """Go over to a search that was started."""
        raise NotImplementedError

    # What is asked for

    def renew(self) -> None:
        """Ask again what it would do: the profile may be another one, or have changed."""
        self._refusal = None
        self._show_form()
        self.run_worker(self._look_ahead, group="ahead", exclusive=True)

    def _set(self, asked: SearchAsked) -> None:
        if asked != self._wanted:
            self._wanted = asked
            self.renew()

    @property
    def _faults(self) -> dict[FieldName, str]:
        faults = faults_of(self.asked, self._models)
        if self._refusal is not None and self._refusal[0] is not None:
            faults.setdefault(self._refusal[0], self._refusal[1])
        return faults

    @property
    def _fault(self) -> str:
        """Why it cannot be started; empty: nothing is known to be wrong."""
        return next(iter(self._faults.values()), "" if self._refusal is None else self._refusal[1])

    @property
    def _known(self) -> Prospect | None:
        """What the search that is asked for would do; None: it is not known yet."""
        return self._prospect if self._prospect_of == self.asked else None

    async def _look_ahead(self) -> None:
        place = (self.session.profile, self.session.changes)
        try:
            if place != self._models_of:
                self._models = await anyio.to_thread.run_sync(
                    self._needs.models, *place, abandon_on_cancel=True
                )
                self._models_of = place
            self._choose_model()
            if not self._faults:
                await anyio.sleep(REST_S)
                asked = self.asked
                found = await anyio.to_thread.run_sync(self._needs.prospect, asked, abandon_on_cancel=True)
                self._prospect, self._prospect_of = found, asked
        except ConsoleError as error:
            self._prospect = self._prospect_of = None
            self._refusal = fault_at(error)
        self._show_form()

    def _choose_model(self) -> None:
        models = self._models or []
        if self._wanted.model not in models:
            self._wanted = replace(self._wanted, model=models[0] if models else "")

    def _show_form(self) -> None:
        self.form.show(fields_of(self.asked, self._faults))
        self.form.redraw()
        asked, known, fault = self.asked, self._known, self._fault
        made = None if known is None else forecast(asked, known)
        width = max(20, self.prospect.scrollable_content_region.width)
        lines = prospect_lines(asked, known, made, fault, width)
        if tuple(lines) != self.prospect.lines:
            self.prospect.show_lines(lines, keep_place=True)
        self.draw()
        self.refresh_bindings()

    # Keys of the form

    @on(Form.Stepped)
    def field_stepped(self, event: Form.Stepped) -> None:
        """Change a field."""
        self._set(stepped(self._wanted, event.name, event.step, self._models or ()))

    @on(Form.Entered)
    def field_entered(self, event: Form.Entered) -> None:
        """Type a field, or take its next value."""
        entry = entry_of(self._wanted, event.name)
        if entry is None:
            self._set(stepped(self._wanted, event.name, 1, self._models or ()))
            return
        asked, name = self._wanted, event.name

        def fault(text: str) -> str | None:
            found = entered(asked, name, text)
            return found if isinstance(found, str) else None

        box = AskLine(entry.title, (entry.hint,), fault, does="take it", value=entry.text)
        self.open_screen(box, partial(self._field_typed, name))

    def _field_typed(self, name: FieldName, text: str | None) -> None:
        found = None if text is None else entered(self._wanted, name, text)
        if isinstance(found, SearchAsked):
            self._set(found)

    @on(Form.Highlighted)
    def field_highlighted(self, event: Form.Highlighted) -> None:
        """Say what the field means."""
        self.form.border_subtitle = safe_line(event.hint, 60)

    @on(Form.Started)
    def form_started(self) -> None:
        """Start from the last line."""
        self.action_start()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Where only one side has room, show the one that is worked on."""
        self.set_class(event.widget.id == "prospect", "-on-prospect")

    # Starting

    def action_start(self) -> None:
        """Start it; on a provider that is not simulated ask first."""
        known = self._known
        fault = self._fault
        if fault:
            name = next(iter(self._faults), None)
            if name is not None:
                self.form.point_at(name)
            self.say(f"cannot start: {fault}", "bad")
        elif known is None:
            self.say("the profile is still being asked", "muted")
        elif known.missing:
            self.say(f"cannot start: {known.missing[0]}", "bad")
        elif known.simulated:
            self._begin_start("start")
        else:
            self.open_screen(self._start_question(known), self._begin_start)

    def _start_question(self, known: Prospect) -> Question:
        made = forecast(self.asked, known)
        profile = safe_line(self.asked.profile, 60)
        text = (
            f"{profile} is not simulated: requests are answered by real models, and may cost money.",
            f"At most {made.most_requests:,} requests with {made.most_tokens:,} tokens, up to {known.most:,} in flight"
            + (f"; the budget of {made.cut_by} ends it." if made.cut_by else "; no budget ends it before."),
        )
        answers = (Answer(("y",), "start the search", "start"),)
        return Question("Drive real requests?", text, answers, way_out_keys=("escape", "n"))

    def _begin_start(self, value: str | None) -> None:
        if value and not self._starting:
            self._starting = True
            self.say("starting the engine", "accent")
            self.refresh_bindings()
            self.run_worker(partial(self._start, self.asked), group="start", exclusive=True)

    async def _start(self, asked: SearchAsked) -> None:
        try:
            run_dir = await anyio.to_thread.run_sync(self._needs.start, asked)
        except ConsoleError as error:
            self._refusal = fault_at(error)
            self.say(f"not started: {self._refusal[1]}", "bad")
            self._show_form()
            return
        finally:
            self._starting = False
        await self.show_started(run_dir)

    def copy_command(self) -> None:
        """Copy the command line."""
        self._console_app.copy_to_clipboard(command_line(self.asked))
        self.say("the command is copied, where the terminal allows it", "muted")
