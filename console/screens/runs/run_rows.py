"""Runs as the rows of a table, and which of them a prune would take. No Textual here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from console.screens.results.places import Place
from console.screens.results.sheet import Column, Listed, Row
from console.screens.runs.needs import RunChoice, Weight
from console.vocabulary.safe_text import safe_line
from widgets.durations import clock_text
from widgets.text_lines import Tone

_TONES: Final = {"live": "good", "partial": "warn", "interrupted": "warn"}
DAMAGED: Final = "damaged"
NO_RESUME: Final = (
    "R: a run cannot be resumed yet; what is finished is kept, and `run --reuse {run}` takes it over"
)
_COLUMNS: Final = (
    Column("state", "state"),
    Column("title", "title"),
    Column("done", "done", figures=True),
    Column("simulated", ""),
    Column("started", "started"),
    Column("took_s", "took", figures=True),
    Column("profile", "profile"),
    Column("run", "run"),
)


def runs_sheet(runs: Sequence[RunChoice], now: datetime) -> Listed:
    """Return a row for each run."""
    return Listed(
        Place("overview"),
        "runs",
        _COLUMNS,
        tuple(_row(run, now) for run in runs),
        noun="runs",
        empty="no runs yet: 2 launches one",
    )


def when(started: str, now: datetime) -> str:
    """Write a start in local time: `HH:MM` today, else `MM-DD HH:MM`; as it is where it is no time."""
    try:
        local = datetime.fromisoformat(started).astimezone(now.tzinfo)
    except ValueError:
        return safe_line(started, 16)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"


def detail(run: RunChoice) -> tuple[str, Tone]:
    """Return what is said of the run under the cursor, and how it is meant."""
    if run.error:
        return f"damaged: {run.error}", "bad"
    if run.kind == "live":
        return f"{run.run_dir}   Enter watches it; closing the console never touches it", "muted"
    if run.kind == "partial":
        return f"its engine is gone, without an end.  {NO_RESUME.format(run=run.id)}", "warn"
    if run.kind == "interrupted":
        return f"it was stopped.  {NO_RESUME.format(run=run.id)}", "warn"
    if run.lost:
        return (
            f"lines of its journal are missing: {run.lost:,} results that it ended with are in no figure   {run.run_dir}",
            "bad",
        )
    return str(run.run_dir), "muted"


def doomed(
    runs: Sequence[RunChoice], now: datetime, *, keep: int | None = None, days: float | None = None
) -> list[RunChoice]:
    """Return which runs a prune takes: those behind the newest `keep`, or older than `days`; live and damaged ones never."""
    found = [run for run in runs if not run.error]
    old = found[keep:] if keep is not None else [run for run in found if _is_older(run, now, days or 0.0)]
    return [run for run in old if run.kind != "live"]


def loss_text(weight: Weight) -> str:
    """Return what is lost, in words."""
    runs = "1 run" if weight.runs == 1 else f"{weight.runs:,} runs"
    return (
        f"lost for good: journal, traces and tables of {runs}, {weight.tests:,} results, "
        f"{size_text(weight.size_bytes)}"
    )


def size_text(size_bytes: int) -> str:
    """Write a size: `12.3 MB`."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} GB"


def _is_older(run: RunChoice, now: datetime, days: float) -> bool:
    try:
        started = datetime.fromisoformat(run.started).astimezone(now.tzinfo)
    except ValueError:
        return False  # of unknown age
    return now - started > timedelta(days=days)


def _row(run: RunChoice, now: datetime) -> Row:
    state = DAMAGED if run.error else run.kind
    share = run.done / run.planned if run.done is not None and run.planned else None
    cells = (
        state,
        run.title or "-",
        f"{_count(run.done)}/{_count(run.planned)}",
        " ".join(filter(None, ("SIM" if run.simulated else "", f"{run.lost:,} lost" if run.lost else ""))),
        when(run.started, now),
        "-" if run.took_s is None else clock_text(run.took_s),
        run.profile or "-",
        run.id,
    )
    keys = (state, run.title, share, cells[3], run.started or None, run.took_s, run.profile, run.id)
    return Row(run.id, cells, keys, tone="bad" if run.error or run.lost else _TONES.get(run.kind, ""))


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
