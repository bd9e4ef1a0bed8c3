"""Marks of points: told apart by shape, so that nobody has to see their colours."""

from __future__ import annotations

from typing import Final, Literal

from console.charts.markup import Markup, element, figure, joined

Shape = Literal["dot", "ring", "cross", "square", "diamond", "triangle"]
_SIZE: Final = 4.6


def mark(
    shape: Shape, x: float, y: float, tone: str, *, size: float = _SIZE, circled: bool = False
) -> Markup:
    """Return a mark; `circled` draws a thin ring round it as well."""
    drawn = _drawn(shape, x, y, tone, size)
    if not circled:
        return drawn
    return joined([element("circle", class_=f"l-{tone}", cx=x, cy=y, r=1.75 * size, stroke_width=1), drawn])


def _drawn(shape: Shape, x: float, y: float, tone: str, size: float) -> Markup:
    match shape:
        case "dot":
            return element("circle", class_=f"f-{tone}", cx=x, cy=y, r=size)
        case "ring":
            return element("circle", class_=f"o-{tone}", cx=x, cy=y, r=size - 0.5, stroke_width=2)
        case "cross":
            strokes = f"M{_at(x - size, y - size)}L{_at(x + size, y + size)}M{_at(x - size, y + size)}L{_at(x + size, y - size)}"
            return element("path", class_=f"l-{tone}", d=strokes, stroke_width=3)
        case "square":
            return element(
                "rect", class_=f"f-{tone}", x=x - size, y=y - size, width=2 * size, height=2 * size
            )
        case "diamond":
            corners = ((x, y - 1.3 * size), (x + 1.3 * size, y), (x, y + 1.3 * size), (x - 1.3 * size, y))
            return element("polygon", class_=f"o-{tone}", points=_points(corners), stroke_width=2)
        case "triangle":
            corners = ((x, y + 1.2 * size), (x + 1.2 * size, y - size), (x - 1.2 * size, y - size))
            return element("polygon", class_=f"o-{tone}", points=_points(corners), stroke_width=2)


def _at(x: float, y: float) -> str:
    return f"{figure(x)} {figure(y)}"


def _points(corners: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{figure(x)},{figure(y)}" for x, y in corners)
