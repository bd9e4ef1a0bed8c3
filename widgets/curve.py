"""Curves that grow point by point, such as throughput against concurrency: painted again only where they differ.

Run `python -m widgets.curve` to see it on made-up figures.
"""

from __future__ import annotations

from widgets.curve_lines import CurveData, curve_lines
from widgets.line_canvas import LineCanvas
from widgets.line_paint import Line


class Curve(LineCanvas, can_focus=False):
    """Shows one picture of curves, as large as there is room."""

    DEFAULT_CSS = "Curve { height: 1fr; scrollbar-size-vertical: 0; scrollbar-gutter: auto; }"

    def __init__(
        self,
        data: CurveData | None = None,
        *,
        ascii_only: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `data`."""
        super().__init__(ascii_only=ascii_only, id=id, classes=classes)
        self._data = data or CurveData()

    @property
    def data(self) -> CurveData:
        """What is shown."""
        return self._data

    def show(self, data: CurveData) -> None:
        """Show another picture; equal lines are not painted again."""
        if data != self._data:
            self._data = data
            self.redraw()

    def screen_lines(self, width: int, height: int) -> list[Line]:
        """Draw it."""
        return curve_lines(self._data, width, height, ascii_only=self.ascii_only)


if __name__ == "__main__":
    from widgets.curve_lines import CurvePoint, Series
    from widgets.demo import ASCII_ONLY, show

    def _made_up(count: int) -> CurveData:
        ladder = (1, 2, 5, 10, 20, 50, 100, 70, 60, 55, 52)[:count]
        whole = tuple(CurvePoint(x, min(47.0 * x, 2_450.0), "pass" if x <= 52 else "fail") for x in ladder)
        each = tuple(CurvePoint(x, min(47.0, 2_450.0 / x)) for x in ladder)
        passing, failing = [x for x in ladder if x <= 52], [x for x in ladder if x > 52]
        return CurveData(
            (Series("tok/s", whole), Series("each", each, "right", dotted=False)),
            "in flight",
            span=(max(passing, default=None), min(failing, default=None)),
            now=ladder[-1],
            legend=(("pass", "passes"), ("fail", "fails")),
        )

    _curve = Curve(_made_up(1), ascii_only=ASCII_ONLY)
    show(_curve, lambda step: _curve.show(_made_up(1 + step % 11)))
