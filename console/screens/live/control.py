"""What keys do to the run: each change is one command, seen at once, and told in words when it was taken or refused."""

from __future__ import annotations

from functools import partial

from textual.timer import Timer

from console.screens.counted import counted
from console.screens.live.figures import OVER
from console.screens.live.gathering import GATHER_S, Gathered
from console.screens.live.lanes import Picked
from console.screens.live.prompt import LimitPrompt
from console.screens.live.steps import STEPS, Figure, Tuning, move_qps, move_workers
from console.screens.live.switching import Switching, adapting, switching
from console.screens.live.typed import UnclearError, Wish, parse_wish, tunings_of
from console.screens.live.watching import Watched
from console.screens.question import Answer, Question
from console.screens.session import Session
from console.vocabulary.command import Accepted, Command, Drain, Pause, Resume, Stop, Switch, Tune
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Scope
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView
from widgets.text_lines import Line, Tone

SAID_FOR_S = 8.0
"""How long the answer to a command stays in the notice line."""
LOOK_AFTER_S = 0.3
"""After an accepted command: the engine's snapshot may be that old."""


class Controlled(Watched):
    """A screen from which a run is steered."""

    def __init__(self, session: Session, every_s: float) -> None:
        """Steer the run that is watched."""
        super().__init__(session, every_s)
        self.said: Line = ()
        self._hush_timer: Timer | None = None
        self._held: Gathered | None = None
        self._held_timer: Timer | None = None
        self._touched: dict[Scope, None] = {}

    @property
    def picked(self) -> Picked | None:
        """The lanes that keys act on; None where there are none."""
        raise NotImplementedError

    @property
    def selects(self) -> bool:
        """Whether there are any."""
        raise NotImplementedError

    def aimed(self) -> Picked | None:
        """Return the lanes that a key just used is for, and stay with them; None where that is in doubt, which is said."""
        raise NotImplementedError

    @property
    def commanded(self) -> bool:
        """Whether the run takes commands now."""
        snapshot = self.view.snapshot
        return self.view.standing == "live" and snapshot is not None and snapshot.state not in OVER

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something now."""
        snapshot = self.view.snapshot
        state = snapshot.state if snapshot else "starting"
        match action:
            case "pause_run":
                return self.commanded and state in ("starting", "running", "blocked")
            case "resume_run":
                return self.commanded and state == "paused"
            case "drain_run":
                return self.commanded and state not in ("draining", "stopping")
            case "stop_run":
                return self.commanded and state != "stopping"
            case "tune" | "type_limits" | "reset" | "adapt" | "switch":
                return self.commanded and state != "stopping" and self.selects
            case _:
                return True

    # The run as a whole

    async def action_pause_run(self) -> None:
        """Send nothing new."""
        await self._command(Pause(), "paused: what is in flight ends")

    async def action_resume_run(self) -> None:
        """Go on."""
        await self._command(Resume(), "running again")

    async def action_drain_run(self) -> None:
        """Finish what is begun, then end; where tests are left out by it, ask first: it cannot be taken back."""
        left_out = self.view.snapshot.queued if self.view.snapshot else 0
        if not left_out:
            await self._drain()
            return
        text = (
            "What has begun is finished.",
            f"{counted(left_out, 'test')} not begun are left out, for good; Space pauses instead.",
        )
        answers = (Answer(("y",), "drain", "drain"),)
        question = Question(
            "Drain the run?", text, answers, way_out="let it run", way_out_keys=("escape", "n")
        )
        self.open_screen(question, self._drain_answered)

    def _drain_answered(self, value: str | None) -> None:
        if value == "drain":
            self.run_worker(self._drain(), group="command")

    async def _drain(self) -> None:
        await self._command(Drain(), "draining: tests that have begun are finished, then the run ends")

    def action_stop_run(self) -> None:
        """Ask, then cancel what is in flight."""
        self.open_screen(self._stop_question("stop now"), self._stop_answered)

    def leave_question(self) -> Question | None:
        """Ask how to leave; without a live run there is nothing to ask."""
        leaving = self.leaving()
        if leaving is None or self.view.standing in ("ended", "gone", "none"):
            return None
        if self.session.detached == self._run_dir:
            return None  # another screen that watches the same run has asked
        answers = [Answer(("enter", "q", "ctrl+c"), "detach: leave the run alone", "detach")]
        if self.check_action("stop_run", ()):
            answers.append(Answer(("s",), "stop the run, then leave (asks first)", "stop"))
        text = ("The run goes on without it. Come back with", f"  ultra-console attach {leaving.run_id}")
        if self._stop_sent:
            text = (
                "The run is stopping, and ends without it. See it with",
                f"  ultra-console summary {leaving.run_id}",
            )
        return Question("Leave the console?", text, answers)

    def leave_answered(self, value: str) -> bool:
        """Leave the run alone, or stop it first and leave at its end."""
        if value == "stop":
            self.open_screen(self._stop_question("stop now, then leave"), self._stop_and_leave_answered)
        if value == "detach":
            self.session.detached = self._run_dir
        return value == "detach"

    def _stop_question(self, label: str) -> Question:
        in_flight = self.view.snapshot.in_flight if self.view.snapshot else 0
        text = (
            f"{counted(in_flight, 'request')} in flight {'is' if in_flight == 1 else 'are'} cancelled; tests under way "
            "have no verdict. What is finished is kept."
        )
        answers = (Answer(("y",), label, "stop"),)
        return Question(
            "Stop the run now?", (text,), answers, way_out="let it run", way_out_keys=("escape", "n")
        )

    def _stop_answered(self, value: str | None) -> None:
        if value == "stop":
            self.run_worker(self._stop(closes=False), group="command")

    def _stop_and_leave_answered(self, value: str | None) -> None:
        if value == "stop":
            self.run_worker(self._stop(closes=True), group="command")

    async def _stop(self, *, closes: bool) -> None:
        """Stop the run; with `closes` the console stays until the run has ended, to say how it did."""
        self._closes_at_end = closes
        self._stop_sent = await self._command(
            Stop(), "stopping; the console closes at its end" if closes else "stopping"
        )
        if not self._stop_sent and self.view.standing != "ended":
            self._closes_at_end = False

    # Limits of the selection

    def action_tune(self, figure: Figure, presses: int) -> None:
        """Move a limit of the selection by a step; presses of a held key are one command a moment."""
        chosen = self.aimed()
        if chosen is None:
            return
        if self._held is not None and not self._held.takes(figure, chosen):
            self.send_held()
        if self._held is None:
            self._held = Gathered(figure, chosen, self._all_lanes)
            self._held_timer = self.set_timer(GATHER_S, self.send_held)
        self._held.presses += presses
        tuning = _moved(self._held)
        if isinstance(tuning, str):
            self._forget_held()
            self.say(tuning, "warn")
            return
        if not self._held.number:
            self._held.number = self.expected.put(tuning.expected)
        self.expected.replace(self._held.number, tuning.expected)
        self.say(f"{tuning.text}   ({STEPS})", "muted")

    def send_held(self) -> None:
        """Send what the presses of a key came to."""
        held = self._held
        if held is None:
            return
        tuning = _moved(held)
        self._end_held()
        if isinstance(tuning, Tuning) and held.presses:
            self._begin(tuning, held.number)
        else:
            self.expected.drop(held.number)
            self.draw()

    def action_type_limits(self) -> None:
        """Ask for limits as words."""
        self.send_held()
        chosen, lanes = self.aimed(), self._all_lanes
        if chosen is not None:
            touched = tuple(self._touched)
            self.open_screen(
                LimitPrompt(chosen.label, lambda text: _typed_text(text, chosen, lanes, touched)),
                partial(self._typed, chosen),
            )

    def _typed(self, chosen: Picked, text: str | None) -> None:
        if text is not None:
            self._tune(parse_wish(text), chosen)

    def run_command(self, text: str) -> str | None:
        """Take limits for the selection as words, such as `workers 40`, as in the line of `=`."""
        if not self.check_action("type_limits", ()):
            return None
        try:
            wish = parse_wish(text)
        except UnclearError as error:
            return str(error) if _names_a_limit(text) else None
        self.send_held()
        chosen = self.aimed()
        if chosen is not None:
            self._tune(wish, chosen)
        return ""

    def action_reset(self) -> None:
        """Give the selection the profile's limits again."""
        self.send_held()
        chosen = self.aimed()
        if chosen is not None:
            self._tune(parse_wish("reset"), chosen)

    def action_adapt(self) -> None:
        """Let adaptive mode find the limits of the selection, or hold them."""
        self.send_held()
        chosen = self.aimed()
        if chosen is not None:
            self._begin(adapting(chosen))

    def action_switch(self) -> None:
        """Switch the selection off or on; where work is broken off by it, ask first."""
        self.send_held()
        chosen = self.aimed()
        if chosen is None:
            return
        change = switching(chosen, self._all_lanes)
        if isinstance(change, str):
            self.say(change, "warn")
        elif change.asks:
            question = Question(
                f"Switch off {change.label}?",
                change.question(self._all_lanes),
                (Answer(("y",), "switch it off", "off"),),
                way_out="leave it on",
                way_out_keys=("escape", "n"),
            )
            self.open_screen(question, lambda value: self._switch(change) if value else None)
        else:
            self._switch(change)

    def _switch(self, change: Switching) -> None:
        number = self.expected.put(change.expected())
        self.say(f"switching {'on' if change.on else 'off'} {change.label}", "muted")
        self.run_worker(self._send_all(change.commands, number), group="command")

    async def _send_all(self, commands: tuple[Switch, ...], number: int) -> None:
        taken: list[bool] = []
        told: list[str] = []
        for command in commands:
            taken.append(await self._command(command, _switched_text(command)))
            told += [text.strip() for text, _ in self.said]
        if len(told) > 1 and all(taken):
            self.say(" · ".join(told), "accent")
        self.expected.taken(number) if all(taken) else self.expected.drop(number)
        self.draw()

    def _tune(self, wish: Wish, chosen: Picked) -> None:
        for tuning in tunings_of(wish, chosen, self._all_lanes, tuple(self._touched)):
            self._begin(tuning)

    def _begin(self, tuning: Tuning, number: int = 0) -> None:
        """Show a change at once, and send it."""
        number = number or self.expected.put(tuning.expected)
        if isinstance(tuning.command, Tune):
            self._touched.update(dict.fromkeys(tuning.command.scopes))
        self.say(tuning.text, "muted")
        self.run_worker(self._send(tuning, number), group="command")

    async def _send(self, tuning: Tuning, number: int) -> None:
        if await self._command(tuning.command, tuning.text, tuning.reach):
            self.expected.taken(number)
        else:
            self.expected.drop(number)
            self.draw()

    def _forget_held(self) -> None:
        if self._held is not None:
            self.expected.drop(self._held.number)
        self._end_held()

    def _end_held(self) -> None:
        self._held = None
        if self._held_timer is not None:
            self._held_timer.stop()
            self._held_timer = None

    @property
    def _all_lanes(self) -> tuple[LaneView, ...]:
        return () if self.snapshot is None else self.snapshot.lanes

    # Saying what came of it

    async def _command(self, command: Command, done: str, reach: str = "") -> bool:
        """Send a command and say what came of it; return whether it was taken.

        Args:
            command: what to send.
            done: what is said where the engine says nothing.
            reach: what the engine does not know to say: how many lanes it is for.
        """
        if self._connection is None:
            return False
        try:
            answer = await self._connection.watch.send(command)
        except ConsoleError as error:
            self.say("; ".join(line.strip() for line in error.lines()), "bad")
            return False
        if isinstance(answer, Accepted):
            told = f"{answer.text}{reach}" if answer.text else done
            self.say(
                told, "accent", max(80, 2 * self.size.width - 4)
            )  # a change of many lanes must not hide them
        else:
            self.say(f"not done: {answer.text}", "warn")
        self.set_timer(LOOK_AFTER_S, self.look_again)
        return isinstance(answer, Accepted)

    def tell(self, text: str) -> None:
        """Say it above the grid."""
        self.say(text, "warn")

    def say(self, text: str, tone: Tone, limit: int = 300) -> None:
        """Say something above the grid for a while, cut to `limit` characters."""
        if self._hush_timer is not None:
            self._hush_timer.stop()
        self.said = ((f" {safe_line(text, limit)}", tone),)
        self._hush_timer = self.set_timer(SAID_FOR_S, self._hush)
        self.draw()

    def _hush(self) -> None:
        self.said = ()
        self.draw()


def _moved(held: Gathered) -> Tuning | str:
    if held.figure == "workers":
        return move_workers(held.chosen, held.presses)
    return move_qps(held.chosen, held.lanes, held.presses)


def _typed_text(text: str, chosen: Picked, lanes: tuple[LaneView, ...], touched: tuple[Scope, ...]) -> str:
    """Say what a typed text would do; UnclearError where it says nothing."""
    return " · ".join(tuning.text for tuning in tunings_of(parse_wish(text), chosen, lanes, touched))


def _switched_text(command: Switch) -> str:
    return f"{command.kind} {command.name}: switched {'on' if command.on else 'off'}"


def _names_a_limit(text: str) -> bool:
    return text.casefold().startswith(("workers", "qps", "reset"))
