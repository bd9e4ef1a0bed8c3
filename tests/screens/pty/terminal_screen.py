"""A small terminal for tests: it knows the few sequences the console may send, and remembers every other one."""

from __future__ import annotations

import re
from collections import Counter

from rich.cells import cell_len

_TOKENS = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    rb"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|(?P<cut>\x1b\[[0-?]*[ -/]*(?=\x1b))"
    rb"|\x1b(?P<string>[PX^_][^\x1b]*\x1b\\)"
    rb"|\x1b(?P<escape>[ -/]*[0-OQ-WYZ\\`-~])"
    rb"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
    rb"|(?P<text>[^\x00-\x1f\x7f]+)"
)
_MODES = {
    b"7",
    b"25",
    b"1000",
    b"1003",
    b"1004",
    b"1006",
    b"1015",
    b"1016",
    b"1049",
    b"2004",
    b"2026",
    b"2048",
}
_MOUSE = {b"1000", b"1003", b"1016"}
_COLOUR = re.compile(rb"(?:^|;)(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;|$|:)")
Look = tuple[frozenset[int], str, str]
"""Attributes that are on, foreground and background, as their codes."""
PLAIN: Look = (frozenset(), "", "")
_ENDS = {22: {1, 2}, 23: {3}, 24: {4, 21}, 25: {5, 6}, 27: {7}, 28: {8}, 29: {9}, 54: {51, 52}, 55: {53}}


class TerminalScreen:
    """What a terminal of that size would show, and what it was sent."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.cells = [[" "] * width for _ in range(height)]
        self.looks = [[PLAIN] * width for _ in range(height)]
        self.look = PLAIN
        self.x = self.y = 0
        self.alternate = False
        self.wraps = True
        self.cursor_shown = True
        self.modes: set[bytes] = set()
        self.foreign: list[bytes] = []
        """Sequences and control characters that the console has no business to send."""
        self.clipboard: list[bytes] = []
        """Payloads of OSC 52, as they came."""
        self.queries: list[bytes] = []
        self.colours: Counter[bytes] = Counter()
        """Styles with a colour in them, and how often each was sent."""
        self._rest = b""

    @property
    def text(self) -> str:
        """The screen as lines without trailing blanks."""
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def resize(self, width: int, height: int) -> None:
        """Take another size; what was there is gone, as the console paints all again."""
        self.width, self.height = width, height
        self.cells = [[" "] * width for _ in range(height)]
        self.looks = [[PLAIN] * width for _ in range(height)]
        self.x = self.y = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; half a sequence waits for its rest."""
        data = self._rest + data
        at = 0
        while at < len(data):
            found = _TOKENS.match(data, at)
            if found is None or (found.lastgroup == "text" and found.end() == len(data) and _cut(found[0])):
                break
            self._take(found)
            at = found.end()
        self._rest = data[at:]

    @property
    def unfinished(self) -> bytes:
        """What came and is no whole sequence."""
        return self._rest

    def _take(self, found: re.Match[bytes]) -> None:
        match found.lastgroup:
            case "text":
                self._write(found[0].decode("utf-8", "replace"))
            case "csi":
                self._csi(found["csi"], found[0])
            case "osc" if found["osc"].startswith(b"52;"):
                self.clipboard.append(found["osc"][3:])
            case "control" if found[0] in b"\r\n":
                self._newline(found[0])
            case "cut":
                pass  # what was left of a picture that was dropped
            case _:
                self.foreign.append(found[0])

    def _newline(self, control: bytes) -> None:
        if control == b"\r":
            self.x = 0
            return
        self.y += 1
        if self.y >= self.height:
            self.y = self.height - 1
            self.cells = [*self.cells[1:], [" "] * self.width]

    def _csi(self, body: bytes, whole: bytes) -> None:
        kind, rest = body[-1:], body[:-1]
        if kind == b"H":
            row, _, column = rest.partition(b";")
            self.y = min(int(row or 1), self.height) - 1
            self.x = min(int(column or 1), self.width) - 1
        elif kind == b"C":
            self.x = min(self.x + int(rest or 1), self.width - 1)
        elif kind == b"m":
            if _COLOUR.search(rest):
                self.colours[rest] += 1
            self.look = _styled(self.look, rest)
        elif kind in b"hl" and rest[:1] == b"?" and set(rest[1:].split(b";")) <= _MODES:
            self._mode(rest[1:].split(b";"), kind == b"h")
        elif kind == b"p" and rest in (b"?2026$", b"?2048$"):
            self.queries.append(rest)
        elif (kind == b"u" and rest[:1] in (b">", b"<")) or (kind == b"J" and rest == b"2"):
            pass
        else:
            self.foreign.append(whole)

    def _mode(self, numbers: list[bytes], on: bool) -> None:
        for number in numbers:
            (self.modes.add if on else self.modes.discard)(number)
            if number == b"25":
                self.cursor_shown = on
            elif number == b"7":
                self.wraps = on
            elif number == b"1049":
                self.alternate = on

    @property
    def mouse(self) -> bool:
        """Whether movements of the mouse are asked for."""
        return bool(self.modes & _MOUSE)

    def _write(self, text: str) -> None:
        for character in text:
            wide = cell_len(character)
            if wide == 0:
                if self.x:
                    base = self.x - 1 if self.cells[self.y][self.x - 1] else self.x - 2
                    self.cells[self.y][base] += character
                continue
            if self.x + wide > self.width and self.wraps:
                self.x = 0
                self._newline(b"\n")
            if self.x + wide <= self.width:
                self.cells[self.y][self.x] = character
                self.looks[self.y][self.x] = self.look
                if wide == 2:
                    self.cells[self.y][self.x + 1] = ""
                    self.looks[self.y][self.x + 1] = self.look
                self.x += wide


def _cut(text: bytes) -> bool:
    """Whether the last character may be cut in two."""
    tail = text[-3:]
    for back in range(1, len(tail) + 1):
        byte = tail[-back]
        if byte >= 0xC0:
            return back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4)
        if byte < 0x80:
            return False
    return False


def _styled(look: Look, body: bytes) -> Look:
    """Apply the codes of one SGR sequence."""
    on, ink, ground = set(look[0]), look[1], look[2]
    codes = [int(code or 0) for code in body.split(b";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            on, ink, ground = set(), "", ""
        elif code in (38, 48):
            length = 4 if codes[0] == 2 else 2
            colour = ";".join(map(str, (code, *codes[:length])))
            del codes[:length]
            ink, ground = (colour, ground) if code == 38 else (ink, colour)
        elif code in _ENDS:
            on -= _ENDS[code]
        elif 30 <= code <= 39 or 90 <= code <= 97:
            ink = "" if code == 39 else str(code)
        elif 40 <= code <= 49 or 100 <= code <= 107:
            ground = "" if code == 49 else str(code)
        else:
            on.add(code)
    return frozenset(on), ink, ground
