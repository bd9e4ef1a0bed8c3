"""The levels of a search as rows of a table, by their concurrency. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.screens.capacity.verdicts import mark_of, verdict_text, verdict_tone
from console.vocabulary.level import VALIDITY_WORDS, LevelOutcome
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
_PLAIN: Final[tuple[Tone, ...]] = ("",) * (len(COLUMNS) - 5)


def level_rows(levels: Sequence[LevelOutcome], *, ascii_only: bool) -> list[TableRow]:
    """Return a row a level, those of one concurrency one below the other."""
    ordered = sorted(levels, key=lambda level: (level.concurrency, level.number))
    return [_row(level, ascii_only=ascii_only) for level in ordered]


def why_text(level: LevelOutcome) -> str:
    """Say what a reader has to know of a level: why it was measured again, what failed or is open, what it is worth."""
    parts = [level.purpose] if level.purpose in ("confirm", "drift") else []
    parts += [
        safe_line(f"{rule.rule} {rule.measured} not {rule.limit}", 120)
        for rule in level.rules
        if rule.state == "fail" and rule.rule != "client"
    ]
    if mark_of(level) != "almost":
        parts += [
            safe_line(f"{rule.rule} open: {rule.missing}", 120)
            for rule in level.rules
            if rule.state == "undecided"
        ]
    if level.validity != "valid":
        parts.append(f"{VALIDITY_WORDS[level.validity]}: {'; '.join(level.reasons)}")
    return safe_line("; ".join(parts), 300)


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
