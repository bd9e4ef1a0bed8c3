"""Themes that can be read, and ASCII of the same width."""

from __future__ import annotations

import pytest
from fakes import RUN_DIR, FakeWatch, Told, opened, snapshot
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.color import Color

from console.app import ConsoleApp, StartAt
from console.screens.looks import THEMES, Looks, in_ascii
from console.screens.preferences import (
    Preferences,
    chosen_theme,
    keep_preferences,
    read_preferences,
    state_dir,
)
from console.screens.terminal import wants_ascii

LEAST_CONTRAST = 4.5


def luminance(colour: Color) -> float:
    parts = [value / 255 for value in colour.rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def apart(one: Color, other: Color, matrix: tuple[tuple[float, ...], ...]) -> float:
    """How far two colours lie apart for someone who sees through `matrix` (linear RGB)."""

    def seen(colour: Color) -> list[float]:
        linear = [((value / 255) ** 2.2) for value in colour.rgb]
        return [max(0.0, sum(a * b for a, b in zip(row, linear, strict=True))) ** (1 / 2.2) for row in matrix]

    return sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5


# Viénot, Brettel and Mollon 1999
BLIND = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


@pytest.mark.parametrize("name", THEMES)
def test_every_tone_can_be_read_on_every_ground(name) -> None:
    app = opened(Told())
    app.theme = name
    variables = app.get_css_variables()
    tones = (
        "foreground",
        "text",
        "text-muted",
        "text-disabled",
        "text-success",
        "text-warning",
        "text-error",
    )
    pairs = [
        (tone, ground)
        for tone in (*tones, "text-primary", "primary")
        for ground in ("background", "surface", "panel")
    ]
    pairs += [
        ("block-cursor-foreground", "block-cursor-background"),
        ("footer-key-foreground", "footer-background"),
    ]
    for tone, ground in pairs:
        assert contrast(Color.parse(variables[tone]), Color.parse(variables[ground])) >= LEAST_CONTRAST, (
            tone,
            ground,
        )


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("kind", BLIND)
def test_good_doubtful_and_bad_stay_apart_for_the_colour_blind(name, kind) -> None:
    theme = THEMES[name]
    tones = [Color.parse(value) for value in (theme.success, theme.warning, theme.error)]
    for place, one in enumerate(tones):
        for other in tones[place + 1 :]:
            assert apart(one, other, BLIND[kind]) > 0.12, (one.hex, other.hex)


@pytest.mark.anyio
@pytest.mark.parametrize("name", THEMES)
async def test_what_is_drawn_can_be_read_on_every_screen(name, until) -> None:
    app = ConsoleApp(Told(FakeWatch(snapshot())).backend, StartAt("live", RUN_DIR), Looks(theme=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        for key in "123456?":
            await pilot.press("3" if key == "?" else key)
            if key == "?":
                await pilot.press("question_mark")
            await pilot.pause(0.1)
            for strip in app.screen._compositor.render_strips():
                for text, style, _ in strip:
                    if (
                        text.strip()
                        and style is not None
                        and style.color
                        and style.bgcolor
                        and any(map(str.isalnum, text))
                    ):
                        one, other = (
                            Color.from_rich_color(colour) for colour in (style.color, style.bgcolor)
                        )
                        assert contrast(one, other) >= LEAST_CONTRAST, (key, text, one.hex, other.hex)


@given(st.text())
def test_ascii_is_as_wide_as_what_it_stands_for(text) -> None:
    made = in_ascii(text)
    assert made.isascii()
    assert len(made) == cell_len(text)


@pytest.mark.anyio
async def test_all_screens_are_drawn_in_ascii(until, screen_text) -> None:
    app = ConsoleApp(Told(FakeWatch(snapshot())).backend, StartAt("live", RUN_DIR), Looks(ascii_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        for key in ("1", "2", "3", "4", "5", "6", "question_mark"):
            await pilot.press(key)
            await pilot.pause(0.1)
            assert screen_text(app).isascii()
        assert "+--" in screen_text(app)


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LC_ALL": "C.utf8"}, False),
        ({"LC_ALL": "C"}, True),
        ({"LANG": "POSIX"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_ALL": "de_DE.ISO-8859-15@euro", "LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8", "TERM": "linux"}, True),
        ({"LC_ALL": "C", "ULTRA_CONSOLE_ASCII": "0"}, False),
        ({"ULTRA_CONSOLE_ASCII": "1"}, True),
    ],
)
def test_when_ascii_is_chosen(monkeypatch, variables, wanted) -> None:
    for name in ("LANG", "LC_ALL", "LC_CTYPE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_ascii() is wanted


def test_the_theme_that_was_chosen_is_kept_and_the_variable_goes_before_it(monkeypatch) -> None:
    assert chosen_theme() == "dark"
    assert keep_preferences(Preferences(theme="light"))
    assert chosen_theme() == "light"
    monkeypatch.setenv("ULTRA_CONSOLE_THEME", "dark")
    assert chosen_theme() == "dark"
    (state_dir() / "console.json").write_text("no json", encoding="utf-8")
    assert read_preferences() == Preferences()
