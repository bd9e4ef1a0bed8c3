"""The effective table of a profile as lines of text, within 80 columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from console.profile.effective import ModelTotals, lane_setups, split_rules, totals
from console.profile.form import Profile
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import RateMode

WIDTH = 80
NONE = "none"
"""How an absent limit is written, wherever figures are shown."""


def counted(count: int, what: str) -> str:
    """Return a count with its noun, in the plural where it is not one."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def effective_lines(
    profile: Profile, *, modes: Sequence[RateMode] = ("fixed", "adaptive"), prompt_types: int = 1
) -> list[str]:
    """Return the table of every model: workers of a lane × lanes = total, and qps, for each rate mode.

    The figures are those of `lane_setups`, which the engine enforces.
    """
    columns = [(mode, _rows_of(profile, mode, prompt_types)) for mode in modes]
    head = ["model", "class"]
    for mode, _ in columns:
        mark = "*" if mode == profile.rate_mode and len(modes) > 1 else ""
        head += [f"{mode}{mark}", "qps"]
    body: list[list[str]] = []
    for name, model in profile.models.items():
        rows = [rows.get(name) if rows is not None else None for _, rows in columns]
        provider = next((row.provider for row in rows if row is not None), model.provider)
        line = [name, f"{provider}/{model.model_class}"]
        for (_, found), row in zip(columns, rows, strict=True):
            line += _figures(row) if row is not None else ["off" if found is not None else "n/a", ""]
        body.append(line)
    return text_table(head, body, set(range(2, len(head))))


def _rows_of(profile: Profile, mode: RateMode, prompt_types: int) -> dict[str, ModelTotals] | None:
    try:
        setups = lane_setups(profile, rate_mode=mode, prompt_types=prompt_types)
    except ConsoleError:
        return None  # no limits for this mode
    return {row.model: row for row in totals(setups, split_rules(profile))}


def _figures(row: ModelTotals) -> list[str]:
    job = "/job" if row.per == "job" else ""
    if len(set(row.lane_workers)) == 1:
        workers = f"{row.lane_workers[0]}×{row.lanes} = {row.workers}{job}"
    else:
        workers = f"mixed = {row.workers}{job}"
    return [workers, NONE if row.qps_bound is None else f"{row.qps_bound:g}"]


def text_table(head: Sequence[str], body: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Lay out columns two spaces apart; the first gives way where the line would be over 80 columns."""
    widths = [max(cells(row[i]) for row in [head, *body]) for i in range(len(head))]
    over = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    if over > 0:
        widths[0] = max(12, widths[0] - over)
    lines: list[str] = []
    for row in [head, *body]:
        parts = [
            " " * (width - cells(cut)) + cut if i in right else cut + " " * (width - cells(cut))
            for i, width in enumerate(widths)
            for cut in [shorten(row[i], width)]
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def shorten(text: str, width: int) -> str:
    """Cut a text to a width, with … at its end."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text + "…"
