"""Text broken into lines by what it takes on a terminal, where some characters take two columns and some none."""

from __future__ import annotations

from console.records.text_table import cells
from console.vocabulary.safe_text import safe_text

_TAB = "    "


def wrapped(text: str, width: int, indent: str = "", hanging: str = "") -> list[str]:
    """Return hostile text, made safe, as lines of at most `width` columns; its own line ends are kept.

    Args:
        text: what to break; at spaces where that is possible.
        width: columns, those of `indent` included.
        indent: in front of every line.
        hanging: in front of the second and further lines of what was one line, behind `indent`.
    """
    lines: list[str] = []
    for line in safe_text(text.replace("\r\n", "\n")).split("\n"):
        rest, lead = line.replace("\t", _TAB).rstrip(), indent
        while True:
            head, rest = _split(rest, max(1, width - cells(lead)))
            lines.append((lead + head).rstrip())
            if not rest:
                break
            lead = indent + hanging
    return lines


def _split(text: str, width: int) -> tuple[str, str]:
    """Return what fits and what is left."""
    if cells(text) <= width:
        return text, ""
    end = used = 0
    for char in text:
        used += cells(char)
        if used > width:
            break
        end += 1
    end = max(1, end)
    if text[end] == " ":
        return text[:end].rstrip(), text[end:].lstrip(" ")
    space = text.rfind(" ", 0, end)
    if space <= 0 or not text[:space].strip():
        return text[:end], text[end:]  # one word, or only what it is indented by
    return text[:space].rstrip(), text[space + 1 :].lstrip(" ")
