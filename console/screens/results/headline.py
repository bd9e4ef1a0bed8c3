"""The lines above a table of results: which run it is and how it stands, which views there are, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from console.screens.results.needs import Fact, RunHead
from console.screens.results.places import VIEWS, Place, View, trail
from console.screens.results.shown import shown_text
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph
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


def head_line(head: RunHead) -> Line:
    """Return which run it is and how far it came."""
    word, tone = _KINDS[head.kind]
    runs: list[Run] = [(f" {safe_line(head.title, 40)} ", "strong")]
    runs.append((f" {word}: {head.done:,} of {head.planned:,} ", tone))
    if head.simulated:
        runs.append((" SIMULATED ", "badge"))
    runs.append((f"  {safe_line(head.profile, 30)}  {safe_line(head.run_id, 60)}", "muted"))
    return tuple(runs)


def warnings(head: RunHead) -> list[Paragraph]:
    """Return what a reader must know first."""
    found = [paragraph(f" {safe_line(head.alarm, 300)}", "bad", 1)] if head.alarm else []
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


def place_line(place: Place, title: str, behind: str, width: int, *, ascii_only: bool = False) -> Line:
    """Return where one is, what is shown there, and what more there is to say; cut at the left where it is too long."""
    rest = f"   {shown_text(title, 120, ascii_only=ascii_only)}"
    if behind:
        rest += f"   {behind}"
    where = shown_text(trail(place), 300, ascii_only=ascii_only)
    room = max(8, width - cell_len(rest) - 1)
    while cell_len(where) > room and len(where) > 2:
        where = ("~" if ascii_only else "…") + where[2:]
    return ((f" {where}", "strong"), (rest, "muted"))


def fact_paragraphs(facts: Sequence[Fact], *, ascii_only: bool = False) -> list[Paragraph]:
    """Return the overview: labels at the left, what they say beside them."""
    lines: list[Paragraph] = []
    for fact in facts:
        if fact.label and lines:
            lines.append(Paragraph(()))
        label = f" {safe_line(fact.label, 12):<{_LABEL_WIDTH}}"
        text = shown_text(fact.text, 1_000, ascii_only=ascii_only)
        lines.append(Paragraph(((label, "accent"), (text, fact.tone)), _LABEL_WIDTH + 1))
    return lines


def note_paragraphs(notes: Sequence[str], *, ascii_only: bool = False) -> list[Paragraph]:
    """Return what the figures of a table mean."""
    return [paragraph(f" {shown_text(note, 500, ascii_only=ascii_only)}", "muted", 1) for note in notes]
