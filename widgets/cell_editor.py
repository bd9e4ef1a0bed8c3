"""What is being typed into a cell and what is wrong with it, without a screen."""

from __future__ import annotations

from collections.abc import Callable

from widgets.edit_cells import EditCell
from widgets.text_buffer import TextBuffer

Check = Callable[[str, str, str], str | None]
"""Given row id, column id and text, says what is wrong with the text as a value there; an empty text is no value."""
Place = tuple[str, str]
"""Row id and column id."""
_FIXED = "this cell cannot be edited"


class CellEditor:
    """Begins with nothing being typed."""

    def __init__(self, check: Check | None) -> None:
        """Ask `check` about every text."""
        self._check = check
        self.buffer: TextBuffer | None = None
        """None: nothing is being typed."""
        self.complaint = ""
        """What is wrong with what was last typed, cleared or stepped to."""

    def give_up(self) -> None:
        """Forget what was typed."""
        self.buffer, self.complaint = None, ""

    def begin(self, place: Place, cell: EditCell, buffer: TextBuffer) -> None:
        """Begin to type, if the cell may be edited."""
        if cell.read_only:
            self.complaint = _FIXED
        else:
            self.type(place, buffer)

    def type(self, place: Place, buffer: TextBuffer) -> None:
        """Take what has been typed so far."""
        self.buffer = buffer
        self.complaint = self._wrong(place, buffer.text)

    def accepted(self, place: Place) -> str | None:
        """End typing and return the text; None where it is wrong, and typing goes on."""
        text = (self.buffer or TextBuffer()).text.strip()
        self.complaint = self._wrong(place, text)
        if self.complaint:
            return None
        self.buffer = None
        return text

    def allows(self, place: Place, cell: EditCell, text: str) -> bool:
        """Return whether a text may be put into a cell without being typed."""
        self.complaint = _FIXED if cell.read_only else self._wrong(place, text)
        return not self.complaint

    def _wrong(self, place: Place, text: str) -> str:
        return (self._check(*place, text) or "") if self._check is not None else ""
