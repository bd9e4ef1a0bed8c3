"""The answers of a live probe as rows: each lane with its time to first token, or why it does not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from console.vocabulary.probed import STATE_WORDS, Probed
from console.vocabulary.safe_text import safe_line
from widgets.table_rows import TableColumn, TableRow

PROBE_COLUMNS: Final = (
    TableColumn("lane", most=60),
    TableColumn("state", least=11, most=24),
    TableColumn("TTFT", "right", numeric=True, least=8),
    TableColumn("why", most=200),
)


def lane_rows(lanes: Sequence[str], found: Mapping[str, Probed], *, asking: bool) -> list[TableRow]:
    """Return a row for each lane."""
    rows: list[TableRow] = []
    for lane in lanes:
        one = found.get(lane)
        if one is None:
            state = "asked" if asking else ""
            rows.append(TableRow(lane, (safe_line(lane, 200), state, "", ""), tones=("", "muted", "", "")))
            continue
        ttft = "" if one.ttft_ms is None else f"{one.ttft_ms:,.0f} ms"
        why = "" if one.state == "answers" else safe_line(one.text, 200)
        tone = "good" if one.state == "answers" else "warn" if one.alive else "bad"
        rows.append(
            TableRow(
                lane, (safe_line(lane, 200), STATE_WORDS[one.state], ttft, why), tones=("", tone, "", "muted")
            )
        )
    return rows


def counts_text(lanes: int, found: Sequence[Probed]) -> str:
    """Say how many answer."""
    alive = sum(1 for one in found if one.alive)
    said = f"{alive} of {lanes} lanes answer"
    dead = len(found) - alive
    return f"{said}, {dead} {'does' if dead == 1 else 'do'} not" if dead else said


def detail_text(one: Probed) -> str:
    """Say all that is known of a lane that does not answer."""
    parts = [f"{one.lane.id}: {STATE_WORDS[one.state]}"]
    if one.status is not None:
        parts.append(f"HTTP {one.status}")
    if one.text:
        parts.append(one.text)
    if one.key_source:
        parts.append(f"its key is {one.key_source}")
    return safe_line(" · ".join(parts), 400)
