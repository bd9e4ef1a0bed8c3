"""What a level comes to, as a glyph and a word: the same in the curve, in the table and in the lines. Pure."""

from __future__ import annotations

from typing import Final

from console.capacity.steps import so_far
from console.vocabulary.level import LevelOutcome
from widgets.curve_lines import ASCII_GLYPHS, GLYPHS, MARK_TONES, PointMark
from widgets.line_paint import Tone

_WORDS: Final = {"pass": "pass", "fail": "FAIL", "undecided": "open", "quota": "QUOTA", "invalid": "INVALID"}


def mark_of(level: LevelOutcome) -> PointMark:
    """Return the mark of a level; one that is open, with nothing beyond its limit so far, has a mark of its own."""
    match level.verdict:
        case "pass":
            return "pass"
        case "fail" | "quota":
            return "fail"
        case "undecided" if so_far(level):
            return "almost"
        case _:
            return "open"


def verdict_text(level: LevelOutcome, *, ascii_only: bool) -> str:
    """Return a glyph and a word."""
    mark = mark_of(level)
    return f"{glyph(mark, ascii_only=ascii_only)} {'so far' if mark == 'almost' else _WORDS[level.verdict]}"


def verdict_tone(level: LevelOutcome) -> Tone:
    """Return the tone that goes with it."""
    return MARK_TONES[mark_of(level)]


def glyph(mark: PointMark, *, ascii_only: bool) -> str:
    """Return the glyph of a mark."""
    return (ASCII_GLYPHS if ascii_only else GLYPHS)[mark]
