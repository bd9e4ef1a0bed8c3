"""The one choke point for hostile text: what passes here may reach a terminal (law 10)."""

from __future__ import annotations

import re

_SEQUENCES = re.compile(
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"  # OSC, also unterminated
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\\\|\x9c|$)"  # DCS, SOS, PM, APC
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    "|\x1b[ -/]*[0-~]?"  # other escapes
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f"  # direction, and ends of lines
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0"  # what nobody sees
    "\ufff9-\ufffb\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u135d-\u135f\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
MOST_MARKS = 4
"""Marks over and under one letter; a flood of them would run into other lines."""
_FLOOD = re.compile(f"({_MARKS}{{{MOST_MARKS}}}){_MARKS}+")


def safe_text(text: str, limit: int | None = None) -> str:
    """Return `text` without escape sequences, control, bidi and invisible characters, cut at `limit` characters.

    A whole sequence becomes ␛, any other forbidden character �; newline and tab stay, and the joiners that scripts and emoji need.
    """
    if limit is not None and len(text) > 4 * limit:
        text = text[: max(0, 4 * limit)]
    if not (text.isascii() and text.isprintable()):
        text = _CONTROLS.sub("\ufffd", _SEQUENCES.sub("\u241b", text))
        text = _FLOOD.sub(r"\1", text)
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…" if limit > 0 else ""
    return text


def safe_line(text: str, limit: int | None = None) -> str:
    """Return `safe_text` on one line: newlines and tabs become spaces."""
    return safe_text(text.replace("\n", " ").replace("\t", " "), limit)
