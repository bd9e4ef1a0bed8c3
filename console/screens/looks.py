"""How the console looks: two themes that the colour-blind can read, and what is drawn where only ASCII can be.

Good is blue, what needs a look amber, what is wrong a light red: hues that stay apart under the common kinds of
colour blindness, and their brightness differs as well. Nothing is told by them alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True, slots=True)
class Looks:
    """What the terminal can show, and what its user likes."""

    ascii_only: bool = False
    colours: bool = True
    theme: ThemeName = "dark"


def _theme(name: ThemeName, ground: tuple[str, str, str], ink: str, tones: dict[str, str]) -> Theme:
    background, surface, panel = ground
    on_primary = background if name == "dark" else "#ffffff"
    return Theme(
        name=name,
        dark=name == "dark",
        primary=tones["primary"],
        secondary=tones["primary"],
        accent=tones["primary"],
        success=tones["success"],
        warning=tones["warning"],
        error=tones["error"],
        foreground=ink,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            "text": ink,
            **{f"text-{tone}": colour for tone, colour in tones.items()},
            "text-secondary": tones["primary"],
            "text-accent": tones["primary"],
            "foreground-muted": tones["muted"],
            "foreground-disabled": tones["disabled"],
            "block-cursor-background": tones["primary"],
            "block-cursor-foreground": on_primary,
            "block-cursor-blurred-background": panel,
            "block-hover-background": panel,
            "block-cursor-blurred-foreground": ink,
            "footer-background": panel,
            "footer-foreground": ink,
            "footer-key-foreground": tones["primary"],
            "footer-description-foreground": ink,
            "input-cursor-background": ink,
            "input-cursor-foreground": background,
            "scrollbar": tones["disabled"],
            "scrollbar-hover": tones["disabled"],
            "scrollbar-active": tones["primary"],
            "scrollbar-background": surface,
            "scrollbar-background-hover": surface,
            "scrollbar-background-active": surface,
            "scrollbar-corner-color": surface,
        },
    )


THEMES: Final[dict[ThemeName, Theme]] = {
    "dark": _theme(
        "dark",
        ("#101418", "#161b21", "#1f262e"),
        "#e3e7eb",
        {
            "primary": "#afbdff",
            "success": "#56b4f5",
            "warning": "#f2c14e",
            "error": "#ff9479",
            "muted": "#a3adb7",
            "disabled": "#8b95a0",
        },
    ),
    "light": _theme(
        "light",
        ("#fcfcfa", "#f3f4f3", "#e6e9ea"),
        "#1a1e22",
        {
            "primary": "#3a3f9e",
            "success": "#0050a0",
            "warning": "#8a5200",
            "error": "#9a0050",
            "muted": "#525b64",
            "disabled": "#5f6871",
        },
    ),
}
_IN_ASCII: Final = str.maketrans(
    {
        **dict.fromkeys("─━═╌╍┄┅╴╶╸╺", "-"),
        **dict.fromkeys("│┃║╎┆┊╵╷╹╻", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋", "+"),
        **dict.fromkeys("▀▔▁▂▃▄", "_"),
        **dict.fromkeys("▅▆▇█▉▊▋▌▐▟▙▛▜", "#"),
        **dict.fromkeys("▍▎▏▕", "|"),
        **dict.fromkeys("░▒▓", ":"),
        **dict.fromkeys("•·●○◦∙", "."),
        **dict.fromkeys("▲△↑▴", "^"),
        **dict.fromkeys("▼▽↓▾", "v"),
        **dict.fromkeys("▶▷→▸›»", ">"),
        **dict.fromkeys("◀◁←◂‹«", "<"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("‘’‚′", "'"),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("✓✔", "v"),
        **dict.fromkeys("×✗✘", "x"),
        "…": "~",
        "␛": "?",
        "\u00a0": " ",
    }
)
"""What we draw ourselves, in characters of the same width."""


class AsciiOnly(LineFilter):
    """Turns every line that is drawn into ASCII of the same width; what it does not know becomes question marks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in ASCII."""
        return [
            segment
            if segment.text.isascii()
            else Segment(in_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def in_ascii(text: str) -> str:
    """Write a text in ASCII, as wide as it was."""
    wide = cell_len(text)
    text = text.translate(_IN_ASCII)
    if not text.isascii():
        text = "".join(character if character.isascii() else "?" * cell_len(character) for character in text)
    return text[:wide].ljust(wide)
