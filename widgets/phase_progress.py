"""How far a run is: a bar with figures, how tests and requests ended, and its jobs.

Run `python -m widgets.phase_progress` to see it on made-up figures.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from textual import events

from widgets.bars import bar_text
from widgets.durations import UNKNOWN, clock_text
from widgets.text_lines import Line, TextLines, Tone

JobState = Literal["waiting", "staggered", "running", "done"]
_JOB_MARKS: dict[JobState, str] = {"running": ">", "staggered": "~", "waiting": ".", "done": "+"}
_SHOWN_FIRST: tuple[JobState, ...] = ("running", "staggered", "waiting", "done")


class Count(NamedTuple):
    """A figure with its name, such as `failure 12`."""

    name: str
    figure: str
    tone: Tone = ""


class JobLine(NamedTuple):
    """One job."""

    title: str
    state: JobState
    done: int
    planned: int
    starts_in_s: float | None = None


class Progress(NamedTuple):
    """All that the widget shows."""

    done: int = 0
    planned: int = 0
    counts: tuple[Count, ...] = ()
    jobs: tuple[JobLine, ...] = ()


class PhaseProgress(TextLines):
    """A line of progress, a line of counts, and as many jobs as `most_jobs`."""

    def __init__(
        self,
        progress: Progress | None = None,
        *,
        most_jobs: int = 3,
        ascii_only: bool = False,
        id: str | None = None,
    ) -> None:
        """Show `progress`."""
        super().__init__(id=id)
        self._progress = progress or Progress()
        self._most_jobs = most_jobs
        self._ascii_only = ascii_only
        self._lines = self._draw()

    @property
    def most_jobs(self) -> int:
        """How many jobs are shown at most."""
        return self._most_jobs

    @most_jobs.setter
    def most_jobs(self, most: int) -> None:
        self._most_jobs = most
        self.show_lines(self._draw())

    def show(self, progress: Progress) -> None:
        """Show newer figures."""
        self._progress = progress
        self.show_lines(self._draw())

    def on_resize(self, event: events.Resize) -> None:
        """Draw the bar at the new width."""
        self.show_lines(self._draw())
        super().on_resize(event)

    def _draw(self) -> tuple[Line, ...]:
        width = self.size.width or 80
        lines = [self._bar_line(width), counts_line(self._progress.counts)]
        return (*lines, *job_lines(self._progress.jobs, self._most_jobs))

    def _bar_line(self, width: int) -> Line:
        shown = self._progress
        percent = f"{100 * shown.done / shown.planned:.0f}%" if shown.planned else UNKNOWN
        figures = f" {shown.done:>{len(str(shown.planned))}}/{shown.planned} tests {percent:>4}"
        bar = max(5, width - len(figures) - 2)
        filled = bar_text(shown.done, shown.planned, bar, self._ascii_only)
        return (("[", "muted"), (filled, "accent"), ("]", "muted"), (figures, "strong"))


def counts_line(counts: tuple[Count, ...]) -> Line:
    """Write the counts behind one another."""
    runs: list[tuple[str, Tone]] = []
    for count in counts:
        runs.append((f"{count.name} ", "muted"))
        runs.append((f"{count.figure}  ", count.tone))
    return tuple(runs)


def job_lines(jobs: tuple[JobLine, ...], most: int) -> tuple[Line, ...]:
    """Write the jobs that matter now, running ones first, and how many are not shown."""
    if not jobs or most < 1:
        return ()
    ranked = sorted(jobs, key=lambda job: _SHOWN_FIRST.index(job.state))
    shown = ranked if len(ranked) <= most else ranked[: most - 1]
    lines = [_job_line(job) for job in shown]
    if len(shown) < len(jobs):
        states = [job.state for job in jobs]
        parts = [f"{states.count(state)} {state}" for state in _SHOWN_FIRST if state in states]
        lines.append(((f"jobs: {len(jobs)} in all: {', '.join(parts)}", "muted"),))
    return tuple(lines)


def _job_line(job: JobLine) -> Line:
    note = (
        f"  starts in {clock_text(job.starts_in_s)}"
        if job.starts_in_s is not None and job.state != "done"
        else ""
    )
    tone: Tone = "" if job.state == "running" else "muted"
    return ((f"{_JOB_MARKS[job.state]} {job.done:>4}/{job.planned:<4} {job.title}", tone), (note, "muted"))


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    def _made_up(step: int) -> Progress:
        done = min(800, 13 * step)
        counts = (
            Count("full", str(done * 3 // 4), "good"),
            Count("failure", str(done // 4)),
            Count("429", "7", "warn"),
        )
        jobs = (
            JobLine(f"model-{n} easy", "running" if n < 2 else "waiting", done // 8, 100) for n in range(8)
        )
        return Progress(done, 800, counts, tuple(jobs))

    _progress = PhaseProgress(_made_up(0), most_jobs=6, ascii_only=ASCII_ONLY)
    show(_progress, lambda step: _progress.show(_made_up(step)))
