"""From a picture of an engine, or from what is on the disk, to what is shown of a search. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from console.screens.capacity.face import SearchShown
from console.screens.capacity.needs import Found
from console.screens.live.figures import headline
from console.vocabulary.safe_text import safe_line
from console.vocabulary.search_view import SearchView
from console.vocabulary.snapshot import Snapshot
from widgets.line_paint import Line, Run, Tone, text_of
from widgets.paragraphs import broken, paragraph

_STATES: Final[dict[str, tuple[str, Tone]]] = {
    "finished": ("FINISHED", "good"),
    "interrupted": ("STOPPED", "warn"),
    "partial": ("KILLED", "bad"),
}


def of_snapshot(
    snapshot: Snapshot, subject: str | None, width: int, standing: str, pace: str, *, over: bool
) -> SearchShown | None:
    """Return what is shown of a search that goes on, or whose result is not read yet; None: it is no search."""
    search = snapshot.search
    if search is None:
        return None
    title = title_of(search.kind, search.model, search.target_qps)
    picture = msgspec.structs.replace(snapshot, title=title, eta_s=search.eta_s)
    answer = broken(paragraph(f" {safe_line(search.answer, 2000)}", "accent", 3), width)
    return SearchShown(
        head=headline(picture, width, standing=standing, pace="" if over else pace),
        search=_at(search, subject),
        answer=tuple(answer) if search.answer else (),
        over=over,
    )


def of_found(found: Found, subject: str | None, width: int) -> SearchShown:
    """Return what is shown of a search that is over."""
    names = tuple(dict.fromkeys([*(level.subject for level in found.levels), ""]))
    search = SearchView(
        kind="target" if found.kind == "target" else "ramp",
        model=found.model,
        target_qps=found.target_qps,
        subjects=names,
        subject="",
        stage="has its answer",
        passes=found.ends[0],
        fails=found.ends[1],
        levels=found.levels,
        spent_s=sum(level.spent_s for level in found.levels),
        spent_requests=sum(level.spent_requests for level in found.levels),
        spent_tokens=sum(level.spent_tokens for level in found.levels),
    )
    shown = _at(search, subject)
    return SearchShown(
        head=_head(found),
        search=shown,
        answer=tuple(_answer_line(number, text) for number, text in enumerate(found.answer(width - 2))),
        over=True,
        knee=None if found.knee is None or shown.subject else round(found.knee),
    )


def answer_text_lines(shown: SearchShown) -> list[str]:
    """Return the answer as text."""
    return [text_of(line).strip() for line in shown.answer]


def title_of(kind: str, model: str, target_qps: float | None) -> str:
    """Say what is looked for."""
    rate = "" if target_qps is None else f" {target_qps:g}/s"
    return f"{safe_line(kind, 10)}{rate} {safe_line(model, 60)}"


def _at(search: SearchView, subject: str | None) -> SearchView:
    """Show another set of lanes than the search is at: its ends are those of the curve alone."""
    if subject is None or subject == search.subject or subject not in search.subjects:
        return search
    return msgspec.structs.replace(search, subject=subject, passes=None, fails=None)


def _head(found: Found) -> Line:
    word, tone = _STATES[found.state]
    title = title_of(found.kind, found.model, found.target_qps)
    runs: list[Run] = [(f" {safe_line(title, 60)} ", "strong"), (f" {word} ", tone)]
    if found.simulated:
        runs.append((" SIMULATED ", "badge"))
    runs.append((f"  {safe_line(found.profile, 30)}  {safe_line(found.run_id, 60)}", "muted"))
    return tuple(runs)


def _answer_line(number: int, text: str) -> Line:
    return ((f" {safe_line(text, 1000)}", "strong" if number == 0 or not text.startswith(" ") else ""),)
