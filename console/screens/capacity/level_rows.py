"""The levels of a search as rows of a table, by their concurrency. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.capacity.report_words import what_matters
from console.screens.capacity.verdicts import verdict_text, verdict_tone
from console.vocabulary.level import LevelOutcome
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Tone
from widgets.table_rows import TableColumn, TableRow

COLUMNS: Final = (
    TableColumn("in flight", "right"),
    TableColumn("verdict", least=9),
    TableColumn("req/s", "right"),
    TableColumn("tok/s", "right"),
    TableColumn("each", "right"),
    TableColumn("TTFT p95", "right"),
    TableColumn("success", "right"),
    TableColumn("n", "right"),
    TableColumn("p50", "right"),
    TableColumn("TPOT", "right"),
    TableColumn("s", "right"),
    TableColumn("why", most=90),
)
NONE: Final = "-"
_MOST_OF_A_PART: Final = 120
_PLAIN: Final[tuple[Tone, ...]] = ("",) * (len(COLUMNS) - 5)


def level_rows(levels: Sequence[LevelOutcome], *, ascii_only: bool) -> list[TableRow]:
    """Return a row a level, those of one concurrency one below the other."""
    ordered = sorted(levels, key=lambda level: (level.concurrency, level.number))
    return [_row(level, ascii_only=ascii_only) for level in ordered]


def why_text(level: LevelOutcome) -> str:
    """Say what a reader has to know of a level: why it was measured again, what failed or is open, what it is worth."""
    again = [level.purpose] if level.purpose in ("confirm", "drift") else []
    matters = [safe_line(part, _MOST_OF_A_PART) for part in what_matters(level)]
    return safe_line("; ".join([*again, *matters]), 300)


def _row(level: LevelOutcome, *, ascii_only: bool) -> TableRow:
    tokens = level.tokens_per_s
    each = None if tokens is None or not level.in_flight else tokens.value / level.in_flight
    rate = "" if level.rate is None else f" at {level.rate:g}/s"
    tone = verdict_tone(level)
    return TableRow(
        str(level.number),
        (
            f"{level.concurrency:,}{rate}",
            verdict_text(level, ascii_only=ascii_only),
            f"{level.requests_per_s.value:,.1f}",
            NONE if tokens is None else f"{tokens.value:,.0f}",
            NONE if each is None else f"{each:,.1f}",
            _ms(level, "ttft_p95"),
            f"{100 * level.success.value:.1f} %",
            f"{level.ended:,}",
            _ms(level, "ttft_p50"),
            _ms(level, "tpot_mean", 1),
            f"{level.spent_s:.0f}",
            why_text(level),
        ),
        tones=("", tone, "strong", "strong", *_PLAIN, "muted"),
    )


def _ms(level: LevelOutcome, name: str, digits: int = 0) -> str:
    found = level.metrics.get(name)
    return NONE if found is None else f"{found.value:,.{digits}f} ms"
