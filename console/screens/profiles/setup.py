"""The setup of a first profile: the simulator, or an endpoint of one's own asked for step by step."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from console.screens.dialog import Dialog
from console.screens.line_input import LineInput
from console.screens.profiles.needs import ProfilesNeeds
from console.screens.profiles.review import Reading
from console.screens.profiles.setup_steps import STEPS, Step, answer_fault, env_variable, profile_text
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line, safe_text
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import Line, TextLines

SIMULATOR: Final = "sim"
_CHOICE: Final[tuple[Paragraph, ...]] = (
    paragraph("What is to be tested?", "strong"),
    Paragraph(()),
    Paragraph(
        (
            ("s  ", "accent"),
            ("the simulator: 14 made-up models on this machine; needs no network and no key", ""),
        ),
        3,
    ),
    Paragraph(
        (
            ("e  ", "accent"),
            ("an endpoint of mine: its URL, its models and where its key is found are asked", ""),
        ),
        3,
    ),
    Paragraph(()),
    paragraph("This is asked once. Later: N on the profiles screen.", "muted"),
)


class Setup(Dialog[str]):
    """Gives back the name of the profile to use: `sim`, or one it has written; None: put off."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS: ClassVar[str | None] = None

    def __init__(self, needs: ProfilesNeeds, *, only_endpoint: bool = False) -> None:
        """Begin with the choice, or with the endpoint at once."""
        super().__init__()
        self._needs = needs
        self._first = 0 if only_endpoint else -1
        self._at = self._first
        """Place among the steps; -1: the choice; behind the last one: the file to be written."""
        self._answers: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Show a question, its input, what is wrong, and the keys."""
        with Vertical(classes="box") as box:
            box.border_title = "setup"
            with Reading():
                yield Paragraphs(id="question")
            yield LineInput()
            yield Paragraphs(id="fault")
            yield TextLines(id="keys")

    def on_mount(self) -> None:
        """Show the first question."""
        self._show()

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Choose, go back, or write."""
        if event.key in ("escape", "ctrl+c"):
            event.stop()
            self._go_back()
        elif self._at == -1 and event.key == "s":
            event.stop()
            self.dismiss(SIMULATOR)
        elif self._at == -1 and event.key == "e":
            event.stop()
            event.prevent_default()
            self._go_to(0)
        elif self._at == len(STEPS) and event.key == "enter":
            event.stop()
            self._write()

    @on(Input.Changed)
    def typed(self) -> None:
        """Judge what has been typed so far; nothing typed yet is no fault."""
        step = self._step
        if step is not None:
            self._judge(step, quiet=not self._text.strip())

    @on(Input.Submitted)
    def entered(self) -> None:
        """Go on, if the answer is right."""
        step = self._step
        if step is not None and self._judge(step):
            self._answers[step.id] = self._text.strip()
            self._go_to(self._next(1))

    def _go_back(self) -> None:
        if self._step is not None:
            self._answers[self._step.id] = self._text.strip()
        place = self._next(-1)
        if self._at == self._first or place < self._first:
            self.dismiss(None)
        else:
            self._go_to(place)

    def _next(self, step: int) -> int:
        place = self._at + step
        while 0 <= place < len(STEPS) and not STEPS[place].asked(self._answers):
            place += step
        return place

    # Showing

    @property
    def _step(self) -> Step | None:
        return STEPS[self._at] if 0 <= self._at < len(STEPS) else None

    @property
    def _text(self) -> str:
        return self.query_one(Input).value

    def _go_to(self, place: int) -> None:
        self._at = place
        self._show()

    def _show(self) -> None:
        step, field = self._step, self.query_one(Input)
        field.display = step is not None
        self.query_one("#fault", Paragraphs).show(())
        if step is None:
            last = self._at == len(STEPS)
            self.query_one(Reading).focus()
            self.query_one("#question", Paragraphs).show(self._file() if last else _CHOICE)
            self.query_one("#keys", TextLines).show_lines(
                (_keys("write it" if last else "", "back" if last else "not now"),)
            )
            return
        asked = [one for one in STEPS if one.asked(self._answers)]
        title = f"{asked.index(step) + 1} of {len(asked)}: {step.title}"
        lines = [paragraph(title, "strong"), Paragraph(()), *(paragraph(line) for line in step.text)]
        self.query_one("#question", Paragraphs).show(lines)
        self.query_one("#keys", TextLines).show_lines(
            (_keys("next", "back" if self._at > self._first else "not now"),)
        )
        with self.prevent(Input.Changed):
            field.value = self._answers.get(step.id, step.suggested)
        field.cursor_position = len(field.value)
        field.focus()
        self.typed()

    def _judge(self, step: Step, *, quiet: bool = False) -> bool:
        """Say what is wrong with the answer, or what is worth knowing of it; return whether it will do."""
        fault = answer_fault(step, self._answers, self._text)
        if fault is None and step.id == "name":
            fault = self._needs.name_fault(self._text.strip())
        shown: list[Paragraph] = []
        if fault is not None and not quiet:
            shown.append(paragraph(f"! {safe_line(fault, 300)}", "bad", 2))
        variable = env_variable(self._text) if fault is None and step.id in ("key", "base_url") else None
        if variable and self._needs.unset_variables([variable]):
            shown.append(
                paragraph(f"{safe_line(variable, 80)} is not set here: set it before a launch", "warn", 2)
            )
        self.query_one("#fault", Paragraphs).show(shown)
        return fault is None

    def _file(self) -> list[Paragraph]:
        text = safe_text(profile_text(self._answers), 4000)
        lines = [
            paragraph(
                f"This will be written as your profile {safe_line(self._answers['name'], 80)}:", "strong"
            ),
            Paragraph(()),
        ]
        return lines + [paragraph(f"  {line}", hang=4) for line in text.splitlines()]

    def _write(self) -> None:
        name = self._answers["name"]
        try:
            self._needs.create(name, profile_text(self._answers))
        except ConsoleError as error:
            shown = [paragraph(safe_line(line, 300), "bad", 2) for line in error.lines()]
            self.query_one("#fault", Paragraphs).show(shown)
            return
        self.dismiss(name)


def _keys(enter: str, escape: str) -> Line:
    keys: Line = (("Esc", "accent"), (f" {escape}", ""))
    return (("Enter", "accent"), (f" {enter}   ", ""), *keys) if enter else keys
