"""One test as lines of the text view: what was said stays indented, so that no model can write a heading of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from console.screens.results.shown import shown_text
from widgets.text_lines import Line, Tone

_HEAD: Final = re.compile(r"(?:prompt|turn \d+|attempt \d+: .*)")
_FACT: Final = re.compile(r"(?:verdict|error|attempt|size|marks|calls|reused|detail) {2,}")


def trace_lines(lines: Sequence[str], *, ascii_only: bool = False) -> list[Line]:
    """Return lines with their tones: turns in bold, who speaks in another colour, failed calls as such."""
    made: list[Line] = []
    for number, text in enumerate(lines):
        safe = shown_text(text, ascii_only=ascii_only)
        fact = _FACT.match(safe)
        if fact is not None:
            made.append(((safe[: fact.end()], "accent"), (safe[fact.end() :], "")))
        else:
            made.append(((safe, _tone(safe, first=number == 0)),))
    return made


def _tone(text: str, *, first: bool) -> Tone:
    if first or _HEAD.fullmatch(text):
        return "strong"
    if text.startswith("note: "):
        return "warn"
    indent = len(text) - len(text.lstrip(" "))
    if indent == 2:
        return "bad" if " failed, " in text else "accent"
    return ""
