"""Texts of a run as cells of files that other programs open: no markup, and no formula."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    import polars as pl

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is run as a formula by programs that open CSV files."""
_DEFUSED: Final = "'"


def markdown_row(texts: Sequence[str]) -> str:
    """Return one row of a Markdown table."""
    return f"| {' | '.join(escaped(text) for text in texts)} |"


def escaped(text: str) -> str:
    r"""Return text that is no markup: what stands before `|`, `<`, `*` and the like is a backslash."""
    return "".join(f"\\{char}" if char in r"\`*<>|[]" else char for char in safe_line(text))


def csv_text(text: str) -> str:
    """Return text on one line that no spreadsheet takes for a formula."""
    line = safe_line(text)
    return f"{_DEFUSED}{line}" if line.startswith(_FORMULA) else line


def csv_safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which no text is taken for a formula by a spreadsheet."""
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.any_horizontal(pl.col(name).str.starts_with(sign) for sign in _FORMULA))
        .then(pl.lit(_DEFUSED) + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )
