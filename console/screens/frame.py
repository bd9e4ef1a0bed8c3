"""What the terminal shows, cell by cell, so that only what differs is sent to it.

Textual repaints a line from its widget's left edge however little of it changed, and sets each style anew. Over a
slow line bytes are what counts: here every update is compared with what stands on the screen, and the way from one
style to the next is as short as it can be. It is also the last place that text passes: nothing that could steer a
terminal leaves it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len, split_graphemes
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

Piece = tuple[int, int, Iterable[Segment]]
"""Row, column, and what is to stand from there on."""
_UNKNOWN: Final = "  "
"""Stands in a cell of which nothing is known; no cell that was written is so long without a mark in it."""
_NARROW: Final = re.compile(
    "[ -~\u00a0-\u02ff\u0370-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25ff]*"
)
"""Characters of one column everywhere, which take no marks from their neighbours."""
_MOST_MARKS: Final = 8
"""Characters in one cell: a flood of combining marks is cut."""
_OTHER: Final = "\ufffd"
_JOINED: Final = re.compile("[\u200d\ufe0f\U0001f3fb-\U0001f3ff]")
"""What makes one picture of several characters, in some terminals only; others show each by itself, and wider."""
_STEERING: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINER: Final = "\u200d"
_MOST_STYLES: Final = 4096
_SHORT_GAP: Final = 4
"""Cells that are sooner written again than passed over."""
_ON: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""Codes of Rich's attributes, by their bits."""
_OFF: Final = ("22", "22", "23", "24", "25", "25", "27", "28", "29", "24", "54", "54", "55")
_BOLD_OR_DIM: Final = 0b11
_REVERSE: Final = 1 << 6
_ON_BLANKS: Final = _REVERSE | 1 << 3 | 1 << 8 | 1 << 9 | 1 << 12
"""Attributes that show where there is no character: reverse, lines under, through and over."""
_Look = tuple[int, str, str]
"""Attributes as bits, codes of the foreground, codes of the background; "" is the terminal's own colour."""
_PLAIN: Final[_Look] = (0, "", "")


class Frame:
    """Remembers what stands on the terminal and writes the differences."""

    def __init__(self, colours: ColorSystem | None) -> None:
        """Know nothing yet; without `colours` none is ever sent."""
        self._colours = colours
        self._width = self._height = 0
        self._rows: list[list[str]] = []
        self._looks: list[list[int]] = []
        """For each cell the number of its look."""
        self._forget_styles()

    def forget(self) -> None:
        """Take nothing for granted: the next update writes all it has."""
        self._width = self._height = 0

    def paint(self, width: int, height: int, pieces: Iterable[Piece]) -> str:
        """Return what to send so that a terminal of this size shows `pieces` at their places."""
        if len(self._all_looks) > _MOST_STYLES:
            self._forget_styles()
            self.forget()
        if (width, height) != (self._width, self._height):
            self._width, self._height = width, height
            self._rows = [[_UNKNOWN] * width for _ in range(height)]
            self._looks = [[0] * width for _ in range(height)]
        out: list[str] = []
        now = 0
        for y, x, segments in pieces:
            if 0 <= y < height and x < width:
                cells, looks = self._cells(segments, width - x)
                now = self._paint_piece(out, now, y, x, cells, looks)
        if now:
            out.append("\x1b[m")
        return "".join(out)

    def _paint_piece(
        self, out: list[str], now: int, y: int, x: int, cells: list[str], looks: list[int]
    ) -> int:
        """Write what differs of one piece of a row; return the look that the terminal is left with."""
        end = x + len(cells)
        row, row_looks = self._rows[y], self._looks[y]
        old, old_looks = row[x:end], row_looks[x:end]
        if old == cells and old_looks == looks:
            return now
        changed: Iterable[int] = [
            index
            for index, (was, cell, was_look, look) in enumerate(
                zip(old, cells, old_looks, looks, strict=True)
            )
            if was != cell or was_look != look
        ]
        row[x:end], row_looks[x:end] = cells, looks
        if not (_all_narrow(cells) and _all_narrow(old)):
            changed = _without_gaps(changed, cells)
        blank_of = self._blank_of
        at = -1
        for index in changed:
            if at != index:
                gap = index - at
                if at < 0:
                    out.append(f"\x1b[{y + 1};{x + index + 1}H")
                elif gap <= _SHORT_GAP and self._stay(now, cells[at:index], looks[at:index]):
                    out.extend(cells[at:index])
                else:
                    out.append(f"\x1b[{gap}C" if gap > 1 else "\x1b[C")
            cell, look = cells[index], looks[index]
            if now != look and not (cell == " " and blank_of[now] == look):
                out.append(self._way(now, look))
                now = look
            out.append(cell)
            at = index + 1
        return now

    def _stay(self, now: int, cells: list[str], looks: list[int]) -> bool:
        """Whether cells look right in the present look."""
        blank = self._blank_of[now]
        return all(
            look == now or (cell == " " and look == blank) for cell, look in zip(cells, looks, strict=True)
        )

    def _cells(self, segments: Iterable[Segment], room: int) -> tuple[list[str], list[int]]:
        """Return the characters and looks cell by cell; a wide character has an empty cell behind it."""
        cells: list[str] = []
        looks: list[int] = []
        for text, style, control in segments:
            if control:
                continue
            look = self._known.get(style)
            if look is None:
                look = self._learn(style)
            blank = self._blank_of[look]
            start = len(cells)
            if text.isascii() and text.isprintable():
                cells.extend(text)
            else:
                _extend(cells, text)
            if look == blank or " " not in text:
                looks.extend([look] * (len(cells) - start))
            elif text.isspace():
                looks.extend([blank] * (len(cells) - start))
            else:
                looks.extend([blank if cell == " " else look for cell in cells[start:]])
        if len(cells) > room:
            if not cells[room]:
                cells[room - 1] = " "  # the left half of a wide character that has no room
            del cells[room:], looks[room:]
        return cells, looks

    def _learn(self, style: Style | None) -> int:
        """Return the number of a style's look."""
        if style is None:
            return 0
        if len(self._known) > 4 * _MOST_STYLES:
            self._known = {None: 0}  # styles carry more than their looks, so that there is no end of them
        shown = style._attributes & style._set_attributes  # pyright: ignore[reportPrivateUsage]
        number = self._number((shown, self._codes(style.color, True), self._codes(style.bgcolor, False)))
        self._known[style] = number
        return number

    def _number(self, look: _Look) -> int:
        """Return the number of a look; a blank without reverse or lines has a look without ink."""
        number = self._numbers.get(look)
        if number is None:
            number = self._numbers[look] = len(self._all_looks)
            self._all_looks.append(look)
            self._blank_of.append(number)
            attributes, ink, ground = look
            seen = attributes & _ON_BLANKS
            blank = self._number((seen, ink if seen else "", ground))
            self._blank_of[number] = blank
        return number

    def _codes(self, colour: Color | None, foreground: bool) -> str:
        if colour is None or colour.is_default or self._colours is None:
            return ""
        return ";".join(colour.downgrade(self._colours).get_ansi_codes(foreground))

    def _way(self, now: int, then: int) -> str:
        """Return the shortest sequence from one look to another."""
        way = self._ways.get((now, then))
        if way is None:
            before, after = self._all_looks[now], self._all_looks[then]
            step, anew = ";".join(_changes(before, after)), ";".join(("", *_changes(_PLAIN, after)))
            way = self._ways[now, then] = f"\x1b[{min(step, anew, key=len)}m"
        return way

    def _forget_styles(self) -> None:
        self._known: dict[Style | None, int] = {None: 0}
        self._numbers: dict[_Look, int] = {_PLAIN: 0}
        self._all_looks: list[_Look] = [_PLAIN]
        self._blank_of: list[int] = [0]
        self._ways: dict[tuple[int, int], str] = {}


def _changes(now: _Look, then: _Look) -> list[str]:
    codes: list[str] = []
    off, on = now[0] & ~then[0], then[0] & ~now[0]
    if off & _BOLD_OR_DIM:
        on |= then[0] & _BOLD_OR_DIM  # one code ends both
    codes += dict.fromkeys(code for bit, code in enumerate(_OFF) if off >> bit & 1)
    codes += [code for bit, code in enumerate(_ON) if on >> bit & 1]
    if now[1] != then[1]:
        codes.append(then[1] or "39")
    if now[2] != then[2]:
        codes.append(then[2] or "49")
    return codes


def _without_gaps(changed: Iterable[int], cells: list[str]) -> range:
    """Write a row with wide characters in one piece: terminals differ in how wide they take some of them for."""
    places = list(changed)
    first, last = places[0], places[-1]
    while first and not cells[first]:
        first -= 1
    return range(first, last + 1)


def _all_narrow(cells: list[str]) -> bool:
    return _NARROW.fullmatch("".join(cells)) is not None


def _extend(cells: list[str], text: str) -> None:
    """Add text that is not plain ASCII: what takes no room goes with its base, and what could steer is left out."""
    if _NARROW.fullmatch(text):
        cells.extend(text)
        return
    for start, end, size in split_graphemes(text)[0]:
        piece = "".join(filter(_harmless, text[start:end]))[:_MOST_MARKS]
        if size == 0:
            base = next((at for at in range(len(cells) - 1, -1, -1) if cells[at]), -1)
            if base >= 0 and cells[base] != " " and len(cells[base]) < _MOST_MARKS:
                cells[base] += piece
        else:
            cells.extend(_sure_of(piece, size))


def _sure_of(piece: str, size: int) -> list[str]:
    """Return cells that take as much room in every terminal; where they differ, only the first character is left."""
    if len(piece) > 1 and (_JOINED.search(piece, 1) or sum(map(cell_len, piece)) != size):
        piece = piece[0]
    room = cell_len(piece)
    if not 0 < room <= size:
        return [_OTHER] * size
    return [piece, *[""] * (room - 1), *[" "] * (size - room)]


def _harmless(character: str) -> bool:
    return character.isprintable() or character == _JOINER or unicodedata.category(character) not in _STEERING
