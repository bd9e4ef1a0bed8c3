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
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def safe_text(text: str, limit: int | None = None) -> str:
    """Return `text` without escape sequences, control and bidi characters, cut at `limit` characters.

    A whole sequence becomes ␛, any other forbidden character �; newline and tab stay.
    """
    if limit is not None and len(text) > 4 * limit:
        text = text[: 4 * limit]
    text = _CONTROLS.sub("\ufffd", _SEQUENCES.sub("\u241b", text))
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…"
    return text


def safe_line(text: str, limit: int | None = None) -> str:
    """Return `safe_text` on one line: newlines and tabs become spaces."""
    return safe_text(text.replace("\n", " ").replace("\t", " "), limit)
