"""A line of text that is being typed: a value, changed by keys."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len


class TextBuffer(NamedTuple):
    """The text and the place of the cursor in it."""

    text: str = ""
    at: int = 0

    def pressed(self, key: str, character: str | None) -> TextBuffer | None:
        """Return what a key makes of it; None where the key means nothing here."""
        text, at = self
        match key:
            case "left":
                return self._replace(at=max(0, at - 1))
            case "right":
                return self._replace(at=min(len(text), at + 1))
            case "home" | "ctrl+a":
                return self._replace(at=0)
            case "end" | "ctrl+e":
                return self._replace(at=len(text))
            case "backspace":
                return TextBuffer(text[: max(0, at - 1)] + text[at:], max(0, at - 1))
            case "delete":
                return self._replace(text=text[:at] + text[at + 1 :])
            case "ctrl+u":
                return TextBuffer(text[at:], 0)
            case _:
                if character is not None and character.isprintable():
                    return self.typed(character)
                return None

    def typed(self, more: str) -> TextBuffer:
        """Return it with text put in at the cursor, without anything that no cell can hold."""
        clean = "".join(character for character in more if character.isprintable())
        return TextBuffer(self.text[: self.at] + clean + self.text[self.at :], self.at + len(clean))

    def window(self, width: int) -> tuple[str, str, str]:
        """Return what stands before, under and behind the cursor in `width` columns; beyond the end stands a blank."""
        before, under, behind = (
            self.text[: self.at],
            self.text[self.at : self.at + 1] or " ",
            self.text[self.at + 1 :],
        )
        while before and cell_len(before + under) > width:
            before = before[1:]
        while behind and cell_len(before + under + behind) > width:
            behind = behind[:-1]
        return before, under, behind
