"""What must be known now, above the grid. Pure."""

from __future__ import annotations

from pathlib import Path

from console.screens.live.connection import View
from console.screens.live.figures import client_notice
from console.screens.live.lanes import lanes_text
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph
from widgets.text_lines import Line

NO_RUN = " no run is live: 2 launches one, 6 lists those that are over"


def notices(view: View, run_dir: Path | None, said: Line, filtered: str = "") -> list[Paragraph]:
    """Return it, the shortest-lived first: one line has its place reserved. Empty: nothing must be known.

    Args:
        view: what is known of the run.
        run_dir: of the run that is watched.
        said: what came of the last key.
        filtered: what of the lanes is in sight; empty: all are.
    """
    if run_dir is None:
        return [paragraph(NO_RUN, "muted", 1)]
    snapshot = view.snapshot
    if view.standing == "gone":
        run = safe_line(snapshot.run_id if snapshot else run_dir.name, 100)
        return [
            paragraph(
                " the engine is gone, without an end; what is finished is kept in the journal", "bad", 1
            ),
            paragraph(f" Enter shows it, and so does `ultra-console summary {run}`", hang=1),
        ]
    if view.standing == "ended":
        return [paragraph(" the run has ended: Enter shows its results", "accent", 1)]
    if said:
        return [Paragraph(said, 1)]
    if view.said:
        tone = "warn" if view.standing == "silent" else "muted"
        return [paragraph(f" {safe_line(view.said, 300)}", tone, 1)]
    if snapshot is not None and snapshot.notice:
        return [paragraph(f" {safe_line(snapshot.notice, 300)}", "bad", 1)]
    if snapshot is not None and snapshot.health is not None and snapshot.health.bad:
        return [paragraph(*client_notice(snapshot.health), 1)]
    return [paragraph(filtered, "accent", 1)] if filtered else []


def filtered_text(words: str, left: int, total: int) -> str:
    """Say what a filter leaves, and how to be rid of it."""
    shown = safe_line(words, 60)
    if not left:
        return f" no lane matches `{shown}`: Esc shows all {total}"
    return f" filter `{shown}`: {left} of {lanes_text(total)}; Esc shows all"
