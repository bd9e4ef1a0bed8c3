"""What a filter leaves of a lane grid: words are for rows, words that begin with `@` for columns."""

from __future__ import annotations

from widgets.lane_values import GridData
from widgets.word_filter import has_all, words_of


def filtered(data: GridData, text: str) -> GridData:
    """Return the rows in whose provider, model and deployment all words occur, and columns with any of the `@` words."""
    words = words_of(text)
    row_words = [word for word in words if not word.startswith("@")]
    column_words = [word[1:] for word in words if word.startswith("@") and len(word) > 1]
    rows = data.rows
    if row_words:
        rows = tuple(row for row in rows if has_all(row_words, f"{row.group} {row.family} {row.name}"))
    if not column_words:
        return data._replace(rows=rows)
    kept = [n for n, name in enumerate(data.columns) if any(word in name.casefold() for word in column_words)]
    if not kept:
        return GridData()
    rows = tuple(
        row._replace(cells=tuple(row.cells[n] if n < len(row.cells) else None for n in kept)) for row in rows
    )
    return GridData(tuple(data.columns[n] for n in kept), tuple(row for row in rows if any(row.cells)))
