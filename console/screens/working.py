"""Work of a screen that takes its time: done in threads, spoken of where it is long, and given up by a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import anyio.to_thread

from console.screens.pane import Pane
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraphs, paragraph
from widgets.text_lines import Tone

ValueT = TypeVar("ValueT")
_PATIENCE_S: Final = 0.4
"""Work that takes longer is spoken of, and its progress shown so often."""


class GivenUp(Exception):  # noqa: N818 - it names what happened
    """Work was given up: nobody waits for it any more."""


class WorkingPane(Pane):
    """A screen with a line for what is under way, what came of it, and what went wrong."""

    def __init__(self, session: Session) -> None:
        """Have nothing to do yet."""
        super().__init__(session)
        self.notice = Paragraphs(id="notice")
        """A subclass lays it out where it belongs."""
        self._doing: dict[object, str] = {}
        self._share = 0.0
        self._given_up = [False]
        """A new one for each reading: the thread that reads looks at its own."""

    @property
    def working(self) -> bool:
        """Whether something is under way."""
        return bool(self._doing)

    def say(self, lines: Sequence[str], tone: Tone = "") -> None:
        """Show these lines, or with none of them nothing."""
        self.notice.show([paragraph(f" {safe_line(line, 500)}", tone, 1) for line in lines])

    def tell(self, text: str) -> None:
        """Say it where work is spoken of, unless there is some."""
        if not self.working:
            self.say([text], "warn")

    def new_watch(self) -> Callable[[float], None]:
        """Return what a reading tells its progress; an earlier one is given up."""
        self._given_up[0] = True
        given_up = self._given_up = [False]
        self._share = 0.0

        def watch(share: float) -> None:
            if given_up[0]:
                raise GivenUp
            self._share = share

        return watch

    async def in_thread(self, work: Callable[[], ValueT], doing: str) -> ValueT | None:
        """Return what `work` returns, done in a thread; None where it went wrong, which is said, or was given up."""
        mark = object()
        self._doing[mark] = doing
        timer = self.set_interval(_PATIENCE_S, self._tell)
        try:
            found = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except ConsoleError as error:
            self.say(error.lines(), "bad")
            return None
        except GivenUp:
            return None
        finally:
            del self._doing[mark]
            timer.stop()
        self.say(())
        return found

    def give_up(self, groups: Sequence[str], then: str) -> None:
        """Give up what is under way in these groups of workers, and say what `then` can be done."""
        self._given_up[0] = True
        for group in groups:
            self.workers.cancel_group(self, group)  # pyright: ignore[reportUnknownMemberType]
        self.say([f"given up{then}"], "warn")

    def _tell(self) -> None:
        if self._doing:
            *_, doing = self._doing.values()
            share = f" {100 * self._share:.0f} %" if 0 < self._share < 1 else ""
            self.say([f"{doing}{share}; Esc gives it up"], "muted")
