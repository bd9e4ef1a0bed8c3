"""What a user of the console has chosen once: a small file in the state directory. No Textual here.

It is of no weight: a file that cannot be read or written is as good as none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

import msgspec
import platformdirs

ThemeChoice = Literal["auto", "dark", "light"]
_MOST_BYTES = 10_000


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    theme: ThemeChoice = "auto"


def state_dir() -> Path:
    """Return where the console keeps what is its own."""
    return platformdirs.user_state_path("ultra-console", appauthor=False)


def read_preferences() -> Preferences:
    """Return what was chosen, or what holds where nothing was."""
    try:
        with _file().open("rb") as stream:
            return msgspec.json.decode(stream.read(_MOST_BYTES), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()


def keep_preferences(preferences: Preferences) -> bool:
    """Write them for the next time; return whether that was possible."""
    path = _file()
    part = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.format(msgspec.json.encode(preferences)))
        part.replace(path)
    except OSError:
        return False
    return True


def chosen_theme() -> Literal["dark", "light"]:
    """Return the theme by the variable, by what was chosen before, by what the terminal says of itself, or the dark one."""
    said = os.environ.get("ULTRA_CONSOLE_THEME", "")
    choice = said if said in get_args(ThemeChoice) else read_preferences().theme
    if choice in ("dark", "light"):
        return choice
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if ground in ("7", "15") else "dark"


def _file() -> Path:
    return state_dir() / "console.json"
