"""A search as text for the clipboard. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.capacity.level_rows import COLUMNS, level_rows
from console.vocabulary.level import LevelOutcome


def copied_text(levels: Sequence[LevelOutcome], answer: Sequence[str]) -> str:
    """Return the levels with tabs between their figures, as sheets take them, and the answer below."""
    lines = ["\t".join(column.title for column in COLUMNS)]
    lines += ["\t".join(row.cells) for row in level_rows(levels, ascii_only=True)]
    return "\n".join([*lines, *([""] if answer else []), *answer])
