"""Copying over a terminal: what is put into the sequence that asks it to, and when that cannot be relied on. No Textual here."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from console.screens.preferences import state_dir
from console.vocabulary.safe_text import safe_text

MOST_BYTES: Final = 74_994
"""What common terminals take, encoded."""
_MOST_THROUGH_SCREEN: Final = 700
_DEAF: Final = ("linux", "vt100", "vt102", "vt220", "ansi", "cons25", "dumb", "")
"""Kinds of terminal that know no clipboard."""


class Copy(NamedTuple):
    """How a text is copied."""

    text: str
    """What can be pasted: nothing in it steers a terminal, and no end of line would run it in a shell."""
    sequence: str
    """What asks the terminal to take it; empty where that is of no use."""
    sure: bool
    """Whether the terminal is known to listen; else the text goes into a file as well."""
    hint: str = ""


def copy_of(text: str, environ: Mapping[str, str]) -> Copy:
    """Return how to copy `text` in a terminal with these variables."""
    clean = safe_text(text).rstrip("\n")
    hint = f"{clean.count(chr(10)) + 1} lines: a shell runs all but the last at once" if "\n" in clean else ""
    encoded = base64.b64encode(clean.encode("utf-8", "replace")).decode("ascii")
    sequence = f"\x1b]52;c;{encoded}\x07"
    kind = environ.get("TERM", "")
    if len(encoded) > MOST_BYTES:
        return Copy(clean, "", False, f"{len(encoded):,} bytes are too many for a terminal")
    if kind in _DEAF:
        return Copy(clean, "", False, "this terminal has no clipboard")
    if environ.get("TMUX"):
        return Copy(clean, sequence, False, hint or "tmux passes it on with `set -g set-clipboard on`")
    if kind.startswith("screen"):
        short = len(encoded) <= _MOST_THROUGH_SCREEN
        return Copy(
            clean, f"\x1bP{sequence}\x1b\\" if short else "", False, hint or "screen may not pass it on"
        )
    return Copy(clean, sequence, True, hint)


def keep_copy(text: str) -> Path | None:
    """Write a text where a user can fetch it; return the file, or None if it cannot be written."""
    path = state_dir() / "copied.txt"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except OSError:
        return None
    return path
