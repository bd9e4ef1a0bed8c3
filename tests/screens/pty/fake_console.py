"""The console of the command line on fakes, in a process of its own, steered by a test over a socket."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent.parent))
LOOK_EVERY_S = 0.05


class Steering:
    """Takes orders, and answers them once the console has done what follows from them."""

    def __init__(self, descriptor: int) -> None:
        self._line = socket.socket(fileno=descriptor)
        self.app: Any = None
        self.told: Any = None
        self.looks = 0

    def serve(self) -> None:
        for text in self._line.makefile("r"):
            order = json.loads(text)
            answer = getattr(self, f"do_{order.pop('order')}")(**order)
            self._line.sendall(json.dumps(answer or {}).encode() + b"\n")

    def do_rest(self) -> dict[str, Any]:
        if self.app is None or not self.app._running:
            return {"resting": False}
        return {"resting": self.app.call_from_thread(self._rests), "looks": self.looks}

    def do_looks(self) -> dict[str, Any]:
        return {"looks": self.looks}

    def do_stalled(self) -> dict[str, Any]:
        return {"stalled": self.app._driver.line.busy and self.app._missed}

    def do_threads(self) -> dict[str, Any]:
        return {"threads": sorted(thread.name for thread in threading.enumerate())}

    def do_show(self, scene: str, step: int = 0) -> None:
        from scenes import shown_in

        self.told.line.shown = shown_in(scene, step)

    def do_elapse(self, seconds: float) -> None:
        import msgspec

        shown = self.told.line.shown
        self.told.line.shown = msgspec.structs.replace(
            shown, seq=shown.seq + 1, elapsed_s=shown.elapsed_s + seconds, eta_s=shown.eta_s - seconds
        )

    def do_break(self) -> None:
        self.app.call_later(_break)

    def do_copy(self, text: str) -> None:
        self.app.call_from_thread(self.app.copy_to_clipboard, text)

    def _rests(self) -> bool:
        app, screen = self.app, self.app.screen
        if app._live is not None and app._live.pace.slow:
            return False  # it says so in its headline, and takes it back as soon as the line keeps up
        widgets = [screen, *(widget for widget in screen.query("*") if widget.display and widget.size)]
        return (
            app._driver._writer_thread._queue.empty()
            and not screen._dirty_widgets
            and not screen._layout_required
            and not any(widget._repaint_required or widget._layout_required for widget in widgets)
            and not any(
                widget._message_queue is not None and widget._message_queue.qsize() for widget in widgets
            )
        )


def _break() -> None:
    secret = "sk-canary-0123456789abcdef"  # noqa: F841 - must not be printed with the locals
    raise RuntimeError("\x1b]0;owned\x07 broken on purpose")


def main() -> None:
    """Run `ultra-console` with these arguments on the fakes of a scene."""
    scene, *arguments = sys.argv[1:]
    steering = Steering(int(os.environ.pop("CONSOLE_RIG_FD")))

    from console.screens.terminal import prepare_environment

    prepare_environment()
    import scenes
    from fakes import RUN_DIR

    import console.app
    import console.cli.attach
    import console.cli.backend
    import console.screens.capacity.screen as capacity
    import console.screens.live.screen as live
    from console.cli import main as command_line

    live.REFRESH_S = capacity.REFRESH_S = LOOK_EVERY_S
    steering.told = scenes.told_in(scene, steering)
    made = console.app.ConsoleApp.__init__

    def noted(app: Any, *args: Any, **options: Any) -> None:
        made(app, *args, **options)
        steering.app = app

    console.app.ConsoleApp.__init__ = noted
    console.cli.backend.real_backend = lambda *_, **_options: steering.told.backend
    console.cli.attach._meant = lambda _run: RUN_DIR
    random.seed(0)
    threading.Thread(target=steering.serve, daemon=True).start()
    command_line(arguments)


if __name__ == "__main__":
    main()
