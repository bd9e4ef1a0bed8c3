"""Pictures of every screen on made-up figures: `python tests/screens/snapshots.py FOLDER`, or `make snapshots`.

With `--docs FOLDER` only the three that the README shows are made. A picture names no place in the net: the fonts
that Textual would fetch are left to whoever looks at it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
sys.path[:0] = [
    str(Path(__file__).parent / "pty"),
    str(Path(__file__).parent),
    str(Path(__file__).parent.parent.parent),
]

import anyio  # noqa: E402
from fakes import RUN_DIR, FakeWatch, Told, snapshot  # noqa: E402
from fakes.capacity import OLD_SEARCH, SEARCH_DIR, FakeCapacity, found, searching  # noqa: E402
from scenes import all_busy  # noqa: E402

import console.screens.live.connection as connection  # noqa: E402
from console.app import ConsoleApp, StartAt  # noqa: E402
from console.screens.live.needs import RunEnd  # noqa: E402
from console.screens.looks import Looks  # noqa: E402
from console.vocabulary.errors import ConsoleError  # noqa: E402

SIZES = ((80, 24), (160, 48))
_FONTS = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
LIVE = StartAt("live", RUN_DIR)
CAPACITY = StartAt("capacity")
BROKEN = ConsoleError(
    "profile.toml:7: models.m1.provider: there is no provider 'nowhere'", hint="name one of the file"
)


def _live_search() -> FakeCapacity:
    made = FakeCapacity(live=SEARCH_DIR)
    made.searches[SEARCH_DIR] = None
    return made


def _old_search() -> FakeCapacity:
    return FakeCapacity(searches={OLD_SEARCH: found()})


class View(NamedTuple):
    """A screen in some state."""

    name: str
    told: Any
    start: StartAt | None = None
    keys: Sequence[str] = ()
    looks: Looks = Looks()


def views() -> list[View]:
    """Return all of them."""
    busy = snapshot(pid=4242)
    blocked = snapshot(
        pid=4242, state="blocked", notice="disk full: nothing new is sent until rows can be written"
    )
    finished = snapshot(pid=4242, state="finished", done=800)
    return [
        View("profiles", Told(), None, ("1",)),
        View("profiles-limits", Told(), None, ("1", "enter")),
        View("profiles-empty", Told(empty=True), None, ("1",)),
        View("launch", Told()),
        View("launch-empty", Told(empty=True)),
        View("launch-confirm", Told(), None, ("enter",)),
        View("launch-error", Told(launch_error=BROKEN), None, ("enter", "x", "enter")),
        View("live", Told(FakeWatch(busy)), LIVE),
        View("live-lane", Told(FakeWatch(busy)), LIVE, ("i",)),
        View("live-60x12", Told(FakeWatch(all_busy(60, 12, 3))), LIVE),
        View("live-blocked", Told(FakeWatch(blocked)), LIVE),
        View("live-finished", Told(FakeWatch(finished)), LIVE),
        View("live-none", Told(FakeWatch(None), empty=True), None, ("3",)),
        View("live-light", Told(FakeWatch(busy)), LIVE, (), Looks(theme="light")),
        View("live-ascii", Told(FakeWatch(busy)), LIVE, (), Looks(ascii_only=True)),
        View("live-no-colour", Told(FakeWatch(busy)), LIVE, (), Looks(colours=False)),
        View("live-stop", Told(FakeWatch(busy)), LIVE, ("s",)),
        View("live-leave", Told(FakeWatch(busy)), LIVE, ("q",)),
        View("help", Told(FakeWatch(busy)), LIVE, ("question_mark",)),
        View("palette", Told(FakeWatch(busy)), LIVE, ("colon",)),
        View("capacity-form", Told(), None, ("4",)),
        View("capacity-search", Told(FakeWatch(searching(8)), capacity=_live_search()), CAPACITY),
        View("capacity-over", Told(FakeWatch(None), live_run=None, capacity=_old_search()), CAPACITY),
        View("results", Told(end=RunEnd("finished", 0, 800, 800)), StartAt("results", RUN_DIR)),
        View(
            "results-models", Told(end=RunEnd("finished", 0, 800, 800)), StartAt("results", RUN_DIR), ("v",)
        ),
        View("runs", Told(), None, ("6",)),
        View("runs-empty", Told(empty=True), None, ("6",)),
    ]


DOCS = {"live": (120, 34), "launch": (120, 34), "results-models": (120, 34)}
"""What the README shows, and how large."""


async def picture(view: View, size: tuple[int, int]) -> str:
    """Return a screen as SVG."""
    app = ConsoleApp(view.told.backend, view.start, view.looks)
    if view.name == "capacity-over":
        app.session.search = OLD_SEARCH
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        for key in view.keys:
            await pilot.press(key)
            await pilot.pause(0.4)
        await pilot.pause(0.5)
        return without_fonts(app.export_screenshot(title="ultra-console (SIMULATED)"))


def without_fonts(svg: str) -> str:
    """Leave out where fonts would be fetched from."""
    return _FONTS.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")


async def main(arguments: Sequence[str]) -> None:
    """Write the pictures."""
    connection.is_live = lambda _run_dir: True
    folder = Path(arguments[-1])
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody waits for it
    for view in views():
        sizes = SIZES
        if "--docs" in arguments:
            if view.name not in DOCS:
                continue
            sizes = (DOCS[view.name],)
        for width, height in sizes:
            name = view.name.partition("-")[0] if "--docs" in arguments else f"{view.name}-{width}x{height}"
            (folder / f"{name}.svg").write_text(await picture(view, (width, height)), encoding="utf-8")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1:])
