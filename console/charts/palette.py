"""The colours of pictures and pages: variables that follow the reader's light or dark, and light on paper.

Every tone is told apart by more than its colour where it matters (shape, dashes, words), and has a contrast of 3 : 1 or
more on its ground; text has 4.5 : 1.
"""

from __future__ import annotations

from typing import Final

from console.charts.markup import Markup

LIGHT: Final = {
    "ground": "#ffffff", "panel": "#f6f7f9", "ink": "#1b1f24", "dim": "#57606a", "grid": "#d8dee4",
    "one": "#0b61a4", "two": "#8a4b08", "pass": "#116329", "fail": "#b3261e", "open": "#6a5400",
    "quota": "#6639ba", "answer": "#0b61a4", "warn": "#8f3a00",
}  # fmt: skip
DARK: Final = {
    "ground": "#14171c", "panel": "#1c2128", "ink": "#e6edf3", "dim": "#9aa6b2", "grid": "#343b44",
    "one": "#6cb6ff", "two": "#e3a04f", "pass": "#57ab5a", "fail": "#ff7b72", "open": "#d4b72c",
    "quota": "#b392f0", "answer": "#6cb6ff", "warn": "#ffa657",
}  # fmt: skip
FONT: Final = '"Liberation Sans",Arial,Helvetica,"DejaVu Sans",sans-serif'
"""Names of fonts that have the same widths, so that a text takes the same room wherever it is shown."""
_TONES: Final = ("one", "two", "pass", "fail", "open", "quota", "answer", "warn", "ink", "dim", "grid")
_VARIABLES: Final = (
    "{root}{{{light}}}@media (prefers-color-scheme:dark){{{root}{{{dark}}}}}@media print{{{root}{{{light}}}}}"
)


def variables(root: str = ":root") -> str:
    """Return the variables of both, as CSS."""
    return _VARIABLES.format(root=root, light=_declared(LIGHT), dark=_declared(DARK))


def svg_style(*, literal: bool = False) -> Markup:
    """Return the styles of pictures.

    Args:
        literal: write the light colours themselves, for programs that draw SVG and know no variables.
    """

    def tone(name: str) -> str:
        return LIGHT[name] if literal else f"var(--{name})"

    rules = [
        f".t{{font-family:{FONT};font-size:15px;fill:{tone('ink')}}}",
        f".s{{font-family:{FONT};font-size:14px;fill:{tone('dim')}}}",
        f".h{{font-family:{FONT};font-size:17px;font-weight:bold;fill:{tone('ink')}}}",
        f".across{{font-family:{FONT};font-weight:bold;fill-opacity:.1}}",
        f".ground{{fill:{tone('ground')}}}",
        f".panel{{fill:{tone('panel')}}}",
    ]
    for name in _TONES:
        rules.append(f".l-{name}{{stroke:{tone(name)};fill:none}}")
        rules.append(f".f-{name}{{fill:{tone(name)}}}")
        rules.append(f".o-{name}{{stroke:{tone(name)};fill:{tone('ground')}}}")
    return Markup(("" if literal else variables()) + "".join(rules))


def _declared(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
