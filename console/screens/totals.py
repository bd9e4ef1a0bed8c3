"""Effective totals as a table: what each model may use, as the engine enforces it."""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.profiles.needs import TotalsRow
from console.vocabulary.safe_text import safe_line
from widgets.summary_table import SummaryTable


def totals_table(title: str, totals: Sequence[TotalsRow]) -> SummaryTable:
    """Return a row for each model; no limit is written as `none`. What matters most comes first: a narrow panel shows no more."""
    rows = tuple(
        (
            safe_line(row.model, 60),
            "none" if row.workers is None else f"{row.workers:,}",
            "none" if row.qps is None else f"{row.qps:g}",
            str(row.lanes),
            safe_line(row.provider, 30),
        )
        for row in totals
    )
    return SummaryTable(title, ("model", "workers", "qps", "lanes", "provider"), rows)
