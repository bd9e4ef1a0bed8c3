"""The lines above a table of results: which run it is and how it stands, which views there are, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from console.screens.results.needs import Fact, RunHead, Scoring
from console.screens.results.places import VIEWS, Place, View, trail
from console.screens.results.shown import shown_text
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, broken, paragraph
from widgets.text_lines import Line, Run, Tone

NO_RUN: Final = " no run is shown: 6 lists runs, Enter there opens one"
_KINDS: Final[dict[str, tuple[str, Tone]]] = {
    "live": ("STILL RUNNING", "warn"),
    "finished": ("FINISHED", "good"),
    "interrupted": ("INTERRUPTED", "warn"),
    "partial": ("PARTIAL", "bad"),
}
_LABEL_WIDTH: Final = 11
_SHORT: Final[dict[str, str]] = {"deployments": "deploys", "overview": "all"}
_SHORT_BELOW: Final = 70


def head_line(head: RunHead, scoring: Scoring = "goal") -> Line:
    """Return which run it is, how far it came, and by what it is judged where that is not the goal."""
    word, tone = _KINDS[head.kind]
    runs: list[Run] = [(f" {safe_line(head.title, 40)} ", "strong")]
    runs.append((f" {word}: {head.done:,} of {head.planned:,} ", tone))
    if head.simulated:
        runs.append((" SIMULATED ", "badge"))
    if scoring != "goal":
        runs.append((f" SCORING {scoring.upper()} ", "badge"))
    runs.append((f"  {safe_line(head.profile, 30)}  {safe_line(head.run_id, 60)}", "muted"))
    return tuple(runs)


def warnings(head: RunHead) -> list[Paragraph]:
    """Return what a reader must know first."""
    found = [paragraph(f" {safe_line(head.alarm, 300)}", "bad", 1)] if head.alarm else []
    if head.is_search:
        found.insert(
            0, paragraph(" a capacity search: 4 shows its curve, its levels and its answer", "accent", 1)
        )
    if head.partial_reason and head.kind != "live":
        found.insert(0, paragraph(f" {safe_line(head.partial_reason, 300)}", "warn", 1))
    return found


def views_line(here: View, width: int) -> Line:
    """Return the views, the present one marked by more than colour."""
    runs: list[Run] = [(" ", "")]
    for view in VIEWS:
        name = _SHORT.get(view, view) if width < _SHORT_BELOW else view
        runs.append((f"[{name}]", "strong") if view == here else (f" {name} ", "muted"))
    return tuple(runs)


def place_line(
    place: Place, test: str, title: str, behind: str, width: int, *, ascii_only: bool = False
) -> Line:
    """Return where one is, what is shown there, and how much of it; steps at the left give way where it is too long."""
    rest = "".join(f"   {shown_text(text, 120, ascii_only=ascii_only)}" for text in (title, behind) if text)
    steps = trail(place)
    if test:
        steps.append("/".join(test.split("/")[-2:]))
    room = max(12, width - cell_len(rest) - 1)
    where = _joined(steps, ascii_only=ascii_only)
    while cell_len(where) > room and len(steps) > 1:
        steps = steps[1:]
        where = _joined(["…", *steps], ascii_only=ascii_only)
    return ((f" {where}", "strong"), (rest, "muted"))


def count_text(count: int, nouns: str) -> str:
    """Return how many there are: `1 model`, `8 models`."""
    if count == 1:
        nouns = {"difficulties": "difficulty", "classes": "class"}.get(nouns, nouns.removesuffix("s"))
    return f"{count:,} {nouns}"


def _joined(steps: Sequence[str], *, ascii_only: bool) -> str:
    return shown_text(" › ".join(shown_text(step, 80) for step in steps), ascii_only=ascii_only)


def fact_lines(
    facts: Sequence[Fact], width: int, *, spaced: bool, ascii_only: bool = False
) -> tuple[Line, ...]:
    """Return the overview: labels at the left, what they say beside them, broken at `width` columns.

    Args:
        facts: what to say.
        width: columns.
        spaced: whether blank lines set its parts apart.
        ascii_only: whether only ASCII is drawn.
    """
    lines: list[Line] = []
    for fact in facts:
        if fact.label and lines and spaced:
            lines.append(())
        label = f" {safe_line(fact.label, 12):<{_LABEL_WIDTH}}"
        text = shown_text(fact.text, 1_000, ascii_only=ascii_only)
        lines += broken(Paragraph(((label, "accent"), (text, fact.tone)), _LABEL_WIDTH + 1), max(20, width))
    return tuple(lines)


def note_paragraphs(notes: Sequence[str], *, ascii_only: bool = False) -> list[Paragraph]:
    """Return what the figures of a table mean."""
    return [paragraph(f" {shown_text(note, 500, ascii_only=ascii_only)}", "muted", 1) for note in notes]
