"""What tests of screens share: the text of the screen, and waiting for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when Textual is imported

NOW = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
GOLDENS = Path(__file__).parent / "golden"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    monkeypatch.setattr("console.screens.runs.screen.now", lambda: NOW)
    monkeypatch.setattr("console.screens.launch.wall_clock.now", lambda: NOW)
    monkeypatch.setattr("console.screens.launch.planner.REST_S", 0.0)
    monkeypatch.setattr("console.screens.capacity.asking.REST_S", 0.0)
    monkeypatch.setattr("console.screens.capacity.screen.WRITTEN_AFTER_S", 0.0)


@pytest.fixture(autouse=True)
def refresh_fast(monkeypatch):
    """Look ten times a second, with rests in between: `pilot.pause` waits until the process is idle for 20 ms."""
    monkeypatch.setattr("console.screens.live.screen.REFRESH_S", 0.1)
    monkeypatch.setattr("console.screens.capacity.screen.REFRESH_S", 0.1)


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    """Whether an engine holds the run: `engine.lives`."""

    class Holder:
        lives = True

    holder = Holder()
    monkeypatch.setattr("console.screens.live.connection.is_live", lambda _run_dir: holder.lives)
    return holder


@pytest.fixture
def screen_text() -> Callable[[Any], str]:
    """The screen exactly as text; the one place that uses Textual's private compositor."""

    def text(app: Any) -> str:
        return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())

    return text


def keys_shown(app: Any) -> bool:
    """Whether the line of keys is what it is going to be: it comes after the rest, which a busy machine lets one see."""
    from console.screens.key_line import KeyLine

    return all(line.lines != ((),) and not line._due for line in app.screen.query(KeyLine))


@pytest.fixture
def until(screen_text: Callable[[Any], str]) -> Callable[..., Any]:
    """Wait until the screen shows a text, or a condition holds."""

    async def wait(pilot: Any, wanted: str | Callable[[], bool], tries: int = 400) -> str:
        for _ in range(tries):
            await pilot.pause()  # which rests for a fiftieth of a second at least
            shown = screen_text(pilot.app)
            if (wanted in shown if isinstance(wanted, str) else wanted()) and keys_shown(pilot.app):
                return shown
        pytest.fail(f"never came: {wanted}\n{screen_text(pilot.app)}")

    return wait


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a file in `golden/`; UPDATE_GOLDENS=1 (before pytest's own clean-up) writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDENS / f"{name}.txt"
        if os.environ.get("PYTHON_UPDATE_GOLDENS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == path.read_text(encoding="utf-8"), (
            f"differs from {path}; PYTHON_UPDATE_GOLDENS=1 rewrites it"
        )

    return compare
