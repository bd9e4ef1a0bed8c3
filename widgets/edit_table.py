"""A small table whose cells are edited in place, checked at every key.

Run `python -m widgets.edit_table` to see it on made-up limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.cell_editor import CellEditor, Check
from widgets.edit_cells import EditCell, EditColumn, EditRow, stepped
from widgets.edit_lines import Under, edit_layout, edit_line, row_texts
from widgets.line_list import LineList
from widgets.line_paint import Line
from widgets.table_layout import ColumnLayout
from widgets.table_rows import TableRow
from widgets.text_buffer import TextBuffer

_EDITING: Final = "enter accepts, esc gives up"


class EditTable(LineList):
    """Shows rows of cells; Enter or a digit begins to edit the one under the cursor."""

    DEFAULT_CSS = "EditTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move_column(-1)", "Left", show=False),
        Binding("right,l", "move_column(1)", "Right", show=False),
        Binding("enter", "edit", "edit", id="edit.begin", tooltip="Edit the cell; so does typing a digit"),
        Binding(
            "delete,backspace",
            "clear",
            "clear",
            key_display="del",
            id="edit.clear",
            tooltip="Take the value away",
        ),
        Binding(
            "plus,equals_sign", "step(1)", "more", key_display="+", id="edit.more", tooltip="One step more"
        ),
        Binding("minus", "step(-1)", "less", key_display="-", id="edit.less", tooltip="One step less"),
    ]

    @dataclass
    class CellEdited(Message):
        """A cell was given another text; the table shows it already."""

        table: EditTable
        row: str
        column: str
        text: str

        @property
        def control(self) -> EditTable:
            """The table, for `@on(..., "#id")`."""
            return self.table

    @dataclass
    class CellHighlighted(Message):
        """The cursor stands on another cell."""

        table: EditTable
        row: str
        column: str

        @property
        def control(self) -> EditTable:
            """The table, for `@on(..., "#id")`."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, EditTable.CellHighlighted) and message.table is self.table

    def __init__(
        self,
        columns: Sequence[EditColumn] = (),
        rows: Sequence[EditRow] = (),
        *,
        corner: str = "",
        check: Check | None = None,
        digits_begin: bool = True,
        ascii_only: bool = False,
        empty_text: str = "nothing to edit",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `rows`; `corner` heads the labels. With `digits_begin` a digit begins to edit."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows = tuple(rows)
        self._corner = corner
        self._editor = CellEditor(check)
        self._digits_begin = digits_begin
        self._column = 0
        self._layout = self._new_layout()

    # What is shown

    def show(self, columns: Sequence[EditColumn], rows: Sequence[EditRow]) -> None:
        """Show other cells; the cursor stays on its row and column, and what is being typed goes on there."""
        before = self.highlighted
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._layout = self._new_layout()
        self._rows = tuple(rows)
        self._column = min(self._column, max(0, len(self._columns) - 1))
        if before is not None:
            self._cursor = next((n for n, row in enumerate(rows) if row.id == before[0]), self._cursor)
            self._column = next(
                (n for n, column in enumerate(columns) if column.id == before[1]), self._column
            )
        self.take_count()
        if self.highlighted != before:
            self._editor.give_up()
            self.cursor_moved()
        self.redraw()

    @property
    def rows(self) -> tuple[EditRow, ...]:
        """The rows as they are shown."""
        return self._rows

    @property
    def highlighted(self) -> tuple[str, str] | None:
        """Row id and column id of the cell under the cursor; None: there is none."""
        if self._cell is None:
            return None
        return self._rows[self._cursor].id, self._columns[self._column].id

    @property
    def editing(self) -> bool:
        """Whether keys are typed into a cell."""
        return self._editor.buffer is not None

    def highlight(self, row: str, column: str) -> None:
        """Set the cursor on a cell."""
        self._column = next((n for n, other in enumerate(self._columns) if other.id == column), self._column)
        self.go_to(next((n for n, other in enumerate(self._rows) if other.id == row), self._cursor))

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        if self._editor.buffer is None:
            if self._digits_begin and event.character is not None and event.character in "0123456789.":
                self._begin(TextBuffer().typed(event.character))
            elif not await self._does(event.key):
                return
            event.stop()
            event.prevent_default()
            return
        if event.key == "enter":
            self._accept()
        elif event.key == "escape":
            self._editor.give_up()
            self.redraw()
        elif event.key in ("up", "down"):
            if self._accept():
                self.action_move_cursor(1 if event.key == "down" else -1)
        elif event.key in ("tab", "shift+tab"):
            if self._accept():
                return  # and go to the next widget
        else:
            changed = self._editor.buffer.pressed(event.key, event.character)
            if changed is None:
                return
            self._type(changed)
        event.stop()
        event.prevent_default()

    async def _does(self, key: str) -> bool:
        """Do at once what a key of the table does; return whether it does anything.

        Textual looks for bindings when a key has gone all the way up to the app. Keys that arrive in one read are
        here by then: what was typed after Enter would come before it, and into another cell than the one meant.
        """
        app = cast("App[Any]", self.app)
        for binding in self._bindings.key_to_bindings.get(key, ()):
            if await app.run_action(binding.action, self):
                return True
        return False

    def on_paste(self, event: events.Paste) -> None:
        """Type the first line of what was pasted."""
        if self._editor.buffer is not None:
            self._type(self._editor.buffer.typed((event.text.splitlines() or [""])[0]))
            event.stop()

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Tell that all characters are typed while a cell is edited."""
        return self._editor.buffer is not None and character is not None and character.isprintable()

    def action_edit(self) -> None:
        """Begin to edit what is in the cell."""
        cell = self._cell
        if cell is not None:
            self._begin(TextBuffer(cell.text, len(cell.text)))

    def action_clear(self) -> None:
        """Take the value away."""
        self._give("")

    def action_step(self, steps: int) -> None:
        """Make the number in the cell greater or less."""
        cell = self._cell
        if cell is None or cell.read_only:
            return
        text = stepped(cell.text, steps * self._columns[self._column].step)
        if text is None:
            self._editor.complaint = "no number to step: press enter and type one"
            self.redraw()
        elif text != cell.text:
            self._give(text)

    def action_move_column(self, columns: int) -> None:
        """Move the cursor sideways, stopping at the edges."""
        moved = min(max(0, self._column + columns), max(0, len(self._columns) - 1))
        if moved == self._column:
            return
        self._column = moved
        self._layout.bring_into_sight(moved + 1, self._width - 1)
        self.cursor_moved()
        self.redraw()

    def on_blur(self, event: events.Blur) -> None:
        """Give up what was being typed and is not finished."""
        self._editor.give_up()

    # Lines

    def line_count(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def line_at(self, index: int, width: int) -> Line:
        """Make one row."""
        return edit_line(self._rows[index], self._columns, self._layout, width, self._under(index))

    def head_lines(self, width: int) -> tuple[Line, ...]:
        """Make the heading."""
        titles = TableRow("", (self._corner, *(f"{column.title} " for column in self._columns)))
        runs = self._layout.cells(titles, width - 1, heading=True)
        return (((" " + "".join(text for text, _ in runs), "heading"),),)

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Say what is wrong with the cell, or what there is to know of it."""
        cell = self._cell
        if self._editor.complaint:
            return (((f"! {self._editor.complaint}", "bad"),),)
        if self._editor.buffer is not None:
            return (((_EDITING, "muted"),),)
        if cell is not None and cell.complaint:
            return (((f"! {cell.complaint}", "bad"),),)
        return (((cell.note if cell is not None else "", "muted"),),)

    def cursor_moved(self) -> None:
        """Tell on which cell the cursor stands."""
        self._editor.complaint = ""
        found = self.highlighted
        if found is not None and self.is_attached:
            self.post_message(self.CellHighlighted(self, *found))

    def on_mount(self) -> None:
        """Say where the cursor stands at first."""
        self.cursor_moved()

    # Within

    @property
    def _cell(self) -> EditCell | None:
        if self._cursor >= len(self._rows) or self._column >= len(self._rows[self._cursor].cells):
            return None
        return self._rows[self._cursor].cells[self._column]

    def _new_layout(self) -> ColumnLayout:
        return edit_layout(self._columns, self._corner)

    def redraw(self) -> None:
        """Make room for what the cells hold, then paint what differs."""
        for index, row in enumerate(self._rows):
            texts = row_texts(row, self._columns, self._under(index))
            self._layout.measure(TableRow("", tuple(texts)))
        super().redraw()

    def _under(self, index: int) -> Under | None:
        """Return what is done in the row, if the cursor stands on it."""
        if index != self._cursor:
            return None
        return Under(self._column, self._editor.buffer, bool(self._editor.complaint), self.has_focus)

    def _begin(self, buffer: TextBuffer) -> None:
        cell, place = self._cell, self.highlighted
        if cell is not None and place is not None:
            self._editor.begin(place, cell, buffer)
            self.redraw()

    def _type(self, buffer: TextBuffer) -> None:
        place = self.highlighted
        if place is not None:
            self._editor.type(place, buffer)
            self.redraw()

    def _accept(self) -> bool:
        """Take what was typed; return whether it was right."""
        cell, place = self._cell, self.highlighted
        text = self._editor.accepted(place) if place is not None else None
        if text is not None and cell is not None and text != cell.text:
            self._put(text)
        self.redraw()
        return text is not None

    def _give(self, text: str) -> None:
        """Put a text into the cell without typing it, if it is right there."""
        cell, place = self._cell, self.highlighted
        if cell is None or place is None or cell.text == text:
            return
        if self._editor.allows(place, cell, text):
            self._put(text)
        self.redraw()

    def _put(self, text: str) -> None:
        row, found = self._rows[self._cursor], self.highlighted
        if found is None:
            return
        cells = list(row.cells)
        cells[self._column] = replace(cells[self._column], text=text, changed=True, complaint="")
        self._rows = (
            *self._rows[: self._cursor],
            replace(row, cells=tuple(cells)),
            *self._rows[self._cursor + 1 :],
        )
        self.post_message(self.CellEdited(self, *found, text))


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    def _wrong(row: str, column: str, text: str) -> str | None:
        return f"{row}: {text!r} is not a whole number" if text.strip("0123456789") else None

    _titles = [EditColumn("workers", "workers"), EditColumn("qps", "qps", none_text="none")]
    _cells = (EditCell("50"), EditCell("", note="no limit on the rate"))
    _limits = [EditRow(name, name, _cells) for name in ("azure/open/fixed", "ideallab/open/adaptive")]
    show(EditTable(_titles, _limits, corner="class/mode", check=_wrong, ascii_only=ASCII_ONLY))
