"""Lines of styled runs: cut and filled by terminal columns, joined where styles agree, and compared.

The compositor writes a changed line from the widget's left edge, so what a change costs is how far to the right it
reaches and how often the style changes on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from rich.cells import cell_len, set_cell_size

Tone = Literal["", "strong", "muted", "accent", "good", "warn", "bad", "badge", "heading", "cursor"]
"""How a piece of text is meant. `heading` is underlined, `badge` and `cursor` are reversed."""
Run = tuple[str, Tone]
"""A piece of text and how it is meant. No markup is read in it, ever."""
Line = tuple[Run, ...]
CUT: Final = "~"
"""Stands where something was left out."""
SEEN_ON_BLANKS: Final[frozenset[str]] = frozenset(("badge", "heading", "cursor"))
"""Reversed or underlined: only these show on a blank."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Fill or cut a text to exactly `width` columns; what was cut off is marked."""
    used = len(text) if text.isascii() else cell_len(text)
    if used <= width:
        return " " * (width - used) + text if right else text + " " * (width - used)
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + CUT


def cut(text: str, width: int) -> str:
    """Cut a text at its end to at most `width` columns."""
    return text if cell_len(text) <= width else fit(text, width)


def cut_line(line: Line, width: int) -> Line:
    """Cut a line to at most `width` columns; where more than blanks are cut off, a mark says so."""
    if width_of(line) <= width:
        return line
    if cell_len(text_of(line).rstrip()) <= width:
        return _begin(line, width)
    begin = _begin(line, max(0, width - len(CUT)))
    return (*begin, (CUT[:width], begin[-1][1] if begin else ""))


def _begin(line: Line, width: int) -> Line:
    """Return the first `width` columns of a line that is wider."""
    kept: list[Run] = []
    for text, tone in line:
        columns = cell_len(text)
        if columns >= width:
            kept.append((set_cell_size(text, width), tone))
            break
        kept.append((text, tone))
        width -= columns
    return tuple(kept)


def text_of(line: Line) -> str:
    """Return the text of a line without its styles."""
    return "".join(text for text, _ in line)


def width_of(line: Line) -> int:
    """Return how many columns a line takes."""
    return sum(len(text) if text.isascii() else cell_len(text) for text, _ in line)


def joined(runs: Sequence[Run]) -> Line:
    """Join neighbours of one style, and blanks with whatever stands before them: each change of style costs bytes."""
    made: list[Run] = []
    for text, tone in runs:
        if not text:
            continue
        if made:
            last_text, last_tone = made[-1]
            blank = text.isspace() and tone not in SEEN_ON_BLANKS and last_tone not in SEEN_ON_BLANKS
            if tone == last_tone or blank:
                made[-1] = (last_text + text, last_tone)
                continue
        made.append((text, tone))
    return tuple(made)


def filled(line: Line, columns: int) -> Line:
    """Put blanks behind a line, in the style of its end where that does not show on them."""
    if line and line[-1][1] not in SEEN_ON_BLANKS:
        text, tone = line[-1]
        return (*line[:-1], (text + " " * columns, tone))
    return (*line, (" " * columns, ""))


def changed_extent(before: Line, after: Line) -> int:
    """Return up to which column two lines look different; 0 where they are equal.

    Text that ends alike at the same column need not be written again.
    """
    if before == after:
        return 0
    widths = width_of(before), width_of(after)
    if widths[0] != widths[1]:
        return max(widths)
    old, new, extent = list(before), list(after), widths[1]
    while old and new and old[-1] == new[-1]:
        extent -= cell_len(new.pop()[0])
        old.pop()
    if old and new and old[-1][1] == new[-1][1]:
        same = 0
        for one, other in zip(reversed(old[-1][0]), reversed(new[-1][0]), strict=False):
            if one != other:
                break
            same += 1
        if same:
            extent -= cell_len(new[-1][0][-same:])
    return extent
