"""What is done to runs as they stand in the list: two are compared, old ones deleted once that was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from console.screens.question import Answer, Question
from console.screens.runs.compare import Compare
from console.screens.runs.needs import Comparison, RunChoice, Weight
from console.screens.runs.run_rows import doomed, loss_text
from console.screens.session import Session
from console.screens.working import WorkingPane
from console.vocabulary.safe_text import safe_line
from widgets.ordered_table import OrderedTable

_LISTED: Final = 8
"""Runs that a question names one by one."""
_PRUNES: Final[dict[str, tuple[str, int | None, float | None]]] = {
    "1": ("all but the newest 10", 10, None),
    "2": ("all but the newest 50", 50, None),
    "3": ("older than 7 days", None, 7.0),
    "4": ("older than 30 days", None, 30.0),
}


class RunActs(WorkingPane):
    """Compares and deletes the runs that a subclass lists."""

    def __init__(self, session: Session) -> None:
        """Know no run yet."""
        super().__init__(session)
        self.runs: list[RunChoice] = []
        """Newest first."""
        self.table = OrderedTable(can_mark=True, noun="runs", empty_text=" looking for runs", id="table")

    def moment(self) -> datetime:
        """Return the local time, by which runs are old."""
        raise NotImplementedError

    def action_reload(self) -> None:
        """Look at the runs again."""
        raise NotImplementedError

    @property
    def here(self) -> RunChoice | None:
        """The run under the cursor."""
        index = self.table.index
        return self.runs[index] if index is not None and index < len(self.runs) else None

    def _marked(self) -> list[RunChoice]:
        return [run for run in self.runs if run.id in self.table.marked]

    # Comparing

    def action_compare(self) -> None:
        """Compare the two runs that are marked, the older one first."""
        marked = self._marked()
        if len(marked) != 2:
            self.say(["mark two runs with space, then c compares them"], "warn")
            return
        second, first = marked
        compare = partial(self.session.backend.runs.compare, first.run_dir, second.run_dir, self.new_watch())
        self.run_worker(partial(self._compare, compare), group="work", exclusive=True)

    async def _compare(self, compare: Callable[[], Comparison]) -> None:
        found = await self.in_thread(compare, "reading both runs")
        if found is not None and self.on_top:
            self.open_screen(Compare(found, ascii_only=self.ascii_only))

    # Deleting

    def action_delete(self) -> None:
        """Delete the marked runs, or the one under the cursor, once that was asked."""
        here = self.here
        marked = self._marked() or ([here] if here is not None else [])
        self._ask(marked)

    def action_prune(self) -> None:
        """Ask which old runs to delete."""
        runs, moment = self.runs, self.moment()
        answers: list[Answer] = []
        for key, (words, keep, days) in _PRUNES.items():
            found = doomed(runs, moment, keep=keep, days=days)
            if found:
                answers.append(Answer((key,), f"{words}: {len(found)} of {len(runs)} runs", key))
        text = ["Live runs stay, whatever their age. What would be lost is said next."]
        if not answers:
            text = ["Nothing to prune: there are no more than 10 runs, and none is older than 7 days."]
        self.open_screen(Question("Delete which old runs?", text, answers), self._pruned)

    def _pruned(self, value: str | None) -> None:
        if value:
            _, keep, days = _PRUNES[value]
            self._ask(doomed(self.runs, self.moment(), keep=keep, days=days))

    def _ask(self, runs: Sequence[RunChoice]) -> None:
        over = [run for run in runs if run.kind != "live" and not run.error]
        if not over:
            self.say(["nothing to delete here: live and damaged runs are left alone"], "warn")
            return
        self.run_worker(partial(self._weigh, over, len(runs) - len(over)), group="work", exclusive=True)

    async def _weigh(self, runs: list[RunChoice], left: int) -> None:
        weigh = self.session.backend.runs.weight
        weight = await self.in_thread(
            lambda: weigh([run.run_dir for run in runs]), "looking what would be lost"
        )
        if weight is None:
            return
        title = "Delete this run?" if len(runs) == 1 else f"Delete {len(runs)} runs?"
        answers = [Answer(("y",), "delete for good", "delete")]
        self.open_screen(
            Question(title, _what_is_lost(runs, weight, left), answers), partial(self._deleted, runs)
        )

    def _deleted(self, runs: list[RunChoice], value: str | None) -> None:
        if value:
            self.run_worker(partial(self._delete, runs), group="work", exclusive=True)

    async def _delete(self, runs: list[RunChoice]) -> None:
        delete = self.session.backend.runs.delete
        failed = await self.in_thread(lambda: delete([run.run_dir for run in runs]), "deleting")
        if failed is None:
            return
        if self.session.shown in {run.run_dir for run in runs}:
            self.session.shown = None
        self.table.mark(())
        self.say(
            failed or [f"deleted {len(runs)} {'run' if len(runs) == 1 else 'runs'}"],
            "bad" if failed else "good",
        )
        self.action_reload()


def _what_is_lost(runs: Sequence[RunChoice], weight: Weight, left: int) -> list[str]:
    lines = [
        f"{safe_line(run.id, 80)}  {safe_line(run.title, 80)}, {run.done if run.done is not None else '?'} results"
        for run in runs[:_LISTED]
    ]
    if len(runs) > _LISTED:
        lines.append(f"and {len(runs) - _LISTED} more")
    lines += ["", loss_text(weight)]
    if left:
        lines.append(f"{left} of those marked are left alone: they are live, or damaged")
    return lines
