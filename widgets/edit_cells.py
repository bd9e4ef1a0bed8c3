"""What a table for editing shows: plain values, and how numbers in it are stepped. No screen here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from widgets.line_paint import Tone


@dataclass(frozen=True)
class EditColumn:
    """One column."""

    id: str
    title: str
    align: Literal["left", "right"] = "right"
    step: float = 1
    """What `+` adds and `-` takes away."""
    none_text: str = "-"
    """Stands for a cell without a value."""
    least: int = 8
    most: int = 24


@dataclass(frozen=True)
class EditCell:
    """One cell; all text is shown as it is, without markup."""

    text: str = ""
    """Empty: no value."""
    read_only: bool = False
    changed: bool = False
    """It differs from what is saved: marked by `*`."""
    complaint: str = ""
    """What is wrong with it: marked by `!`, and said beneath while the cursor stands on it."""
    note: str = ""
    """Said beneath while the cursor stands on it, such as where the value comes from."""


@dataclass(frozen=True)
class EditRow:
    """One row; without cells it is a heading."""

    id: str
    label: str
    cells: tuple[EditCell, ...] = ()
    tone: Tone = ""


def stepped(text: str, step: float) -> str | None:
    """Return a number changed by `step`, never below nought by a step, with no more places than it needs; None: no number."""
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        return None
    moved = round(value + step, 9)
    if moved < 0 <= value:
        moved = 0.0
    return str(int(moved)) if moved == int(moved) else f"{moved:.9g}"
