"""One widget over the whole screen, for trying it by hand: `python -m widgets.table` and its like.

It imports no widget: each brings its made-up figures in its own main block. `--ascii` draws without other characters.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Footer

ASCII_ONLY = "--ascii" in sys.argv[1:]


class Demo(App[None]):
    """Shows a widget, stepped once a second."""

    def __init__(self, shown: Widget, step: Callable[[int], None] | None = None) -> None:
        """Show `shown`; `step` is called with 1, 2, 3 … and shows the next made-up figures."""
        super().__init__()
        self._shown = shown
        self._step = step
        self._count = 0

    def compose(self) -> ComposeResult:
        """Lay the widget over the whole screen."""
        yield self._shown
        yield Footer()

    def on_mount(self) -> None:
        """Step once a second."""
        if self._step is not None:
            self.set_interval(1.0, self._go_on)

    def _go_on(self) -> None:
        self._count += 1
        if self._step is not None:
            self._step(self._count)


def show(shown: Widget, step: Callable[[int], None] | None = None) -> None:
    """Run the demo of a widget until ctrl+q."""
    Demo(shown, step).run(mouse=False)
