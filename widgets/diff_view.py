"""The lines of a unified diff: what was added and what was taken away is told by its mark, and by colour as well.

Run `python -m widgets.diff_view` to see one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from textual.binding import Binding, BindingType

from widgets.line_list import LineList
from widgets.line_paint import Line, Tone, cut

_SHIFT = 8


class DiffView(LineList):
    """Shows the lines as they are; left and right move them sideways where they are longer than the screen."""

    DEFAULT_CSS = "DiffView { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "shift(-1)", "Left", show=False),
        Binding("right,l", "shift(1)", "Right", show=False),
        Binding("n", "next_change(1)", "next change", show=False, id="diff.next", tooltip="Next change"),
        Binding(
            "N", "next_change(-1)", "change before", show=False, id="diff.before", tooltip="Change before"
        ),
    ]

    def __init__(
        self,
        lines: Sequence[str] = (),
        *,
        ascii_only: bool = False,
        empty_text: str = "no differences",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `lines`, without their line ends."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._texts = tuple(lines)
        self._tones = tones_of(self._texts)
        self._shifted = 0

    def show(self, lines: Sequence[str]) -> None:
        """Show another diff, from the top."""
        if tuple(lines) == self._texts:
            return
        self._texts = tuple(lines)
        self._tones = tones_of(self._texts)
        self._shifted = 0
        self._cursor = 0
        self.take_count()
        self.show_cursor()
        self.redraw()

    @property
    def added(self) -> int:
        """How many lines were added."""
        return self._tones.count("good")

    @property
    def removed(self) -> int:
        """How many lines were taken away."""
        return self._tones.count("bad")

    def action_shift(self, steps: int) -> None:
        """Move the text sideways; its marks stay."""
        longest = max((cell_len(text) for text in self._texts), default=0)
        furthest = -(-max(0, longest - self._width + 1) // _SHIFT) * _SHIFT
        self._shifted = min(max(0, self._shifted + steps * _SHIFT), furthest)
        self.redraw()

    def action_next_change(self, step: int) -> None:
        """Go to the first line of the next change, or of the one before."""
        changed = [tone in ("good", "bad") for tone in self._tones]
        starts = [n for n, one in enumerate(changed) if one and not (n and changed[n - 1])]
        wanted = [n for n in starts if (n > self._cursor if step > 0 else n < self._cursor)]
        if wanted:
            self.go_to(wanted[0] if step > 0 else wanted[-1])

    def line_count(self) -> int:
        """Return how many lines the diff has."""
        return len(self._texts)

    def line_at(self, index: int, width: int) -> Line:
        """Make one line: the mark of the cursor, the mark of the diff, the text."""
        text, tone = self._texts[index], self._tones[index]
        mark, rest = text[:1], text[1:]
        if self._shifted and tone not in ("strong", "accent"):
            rest = _without(rest, self._shifted)
        cursor = ">" if index == self._cursor and self.has_focus else " "
        return ((cursor, ""), (cut(mark + rest, max(0, width - 1)), tone))


def tones_of(texts: Sequence[str]) -> tuple[Tone, ...]:
    """Return how each line is meant; the names of the files stand before a hunk, where no line was taken away."""
    tones: list[Tone] = []
    in_hunk = False
    for number, text in enumerate(texts):
        heads = (
            text.startswith("--- ")
            and texts[number + 1 : number + 2]
            and texts[number + 1].startswith("+++ ")
        )
        in_hunk = in_hunk and not (
            heads and texts[number + 2 : number + 3] and texts[number + 2].startswith("@@")
        )
        if text.startswith("@@"):
            in_hunk = True
            tones.append("accent")
        elif not in_hunk and text.startswith(("--- ", "+++ ")):
            tones.append("strong")
        else:
            tones.append("good" if text.startswith("+") else "bad" if text.startswith("-") else "")
    return tuple(tones)


def _without(text: str, columns: int) -> str:
    """Return a text without its first columns."""
    if text.isascii():
        return text[columns:]
    head = next(iter(chop_cells(text, columns)), "")
    return text[len(head) :]


if __name__ == "__main__":
    import difflib

    from widgets.demo import ASCII_ONLY, show

    _before = [f"limits.azure.open.key{n}.workers = {n * 5}" for n in range(40)]
    _after = [line.replace("= 50", "= 60  # by hand, since the quota was raised") for line in _before[:30]]
    show(
        DiffView(
            list(difflib.unified_diff(_before, _after, "sim.toml", "unsaved", lineterm="")),
            ascii_only=ASCII_ONLY,
        )
    )
