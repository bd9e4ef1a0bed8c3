"""Telling without a screen how a run goes: a line a second on a terminal, one in ten seconds elsewhere, or JSON."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

import anyio
import msgspec

from console.cli.search_progress import search_progress
from console.vocabulary.client_health import alarm_text
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import Snapshot

TERMINAL_EVERY_S: Final = 1.0
ELSEWHERE_EVERY_S: Final = 10.0
_LAST_WORDS_S: Final = 2.0
"""How long the end of a run waits for a terminal that takes nothing."""
_GOOD = {"ok", "cancelled", "rate_limited"}


def clock(seconds: float) -> str:
    """Write a duration as the screens do: `1:05`, `2:03:04`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def progress_line(picture: Snapshot) -> str:
    """Return one line on the whole run, the most important first so that a narrow terminal may cut it."""
    share = f" {100 * picture.done // picture.planned}%" if picture.planned else ""
    errors = sum(count for outcome, count in picture.requests.items() if outcome not in _GOOD)
    parts = [f"{clock(picture.elapsed_s)} {picture.state}{' SIMULATED' if picture.simulated else ''}"]
    if picture.notice:
        parts.append(picture.notice)
    if picture.health is not None and picture.health.bad:
        parts.append(alarm_text(picture.health))
    if picture.search is None:
        parts.append(f"{picture.done}/{picture.planned}{share}")
    else:
        parts += search_progress(picture.search)
    for state in ("throttled", "parked", "off"):
        count = sum(1 for lane in picture.lanes if lane.state == state)
        if count:
            parts.append(f"{count} lane{'s' if count > 1 else ''} {state}")
    if picture.state == "running":
        waits = waits_for(picture)
        if waits:
            parts.append(waits)
        parts.append(f"eta {'?' if picture.eta_s is None else clock(picture.eta_s)}")
    if errors:
        parts.append(f"errors {errors}")
    if picture.requests.get("rate_limited"):
        parts.append(f"429 {picture.requests['rate_limited']}")
    over = picture.state in ("finished", "interrupted")  # what the last seconds were is not what the run was
    if not over:
        parts.append(f"{picture.rate:.1f} req/s")
    if picture.ttft_p50_ms is not None:
        parts.append(f"TTFT p50 {picture.ttft_p50_ms:.0f} ms")
    if not over:
        parts.append(f"in flight {picture.in_flight}")
    return " · ".join(parts)


def waits_for(picture: Snapshot) -> str:
    """Say what a run waits for of which no job can work now: a stagger, or a key; empty: one works."""
    open_jobs = [job for job in picture.jobs if job.state != "done"]
    if any(job.state == "running" and not job.waits_for_key for job in open_jobs):
        return ""
    starts = [job.starts_in_s for job in open_jobs if job.starts_in_s is not None]
    if starts:
        return f"next job in {clock(min(starts))}"
    waiting = [job for job in open_jobs if job.waits_for_key]
    if not waiting:
        return ""
    note = next((job.note for job in waiting if job.note), "")
    return f"waits for a key: {note}" if note else "waits for a key"


class Narrator:
    """Writes progress of one run to a stream, and goes quiet for good when the stream is gone."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._json = as_json
        self._terminal = not as_json and stream.isatty()
        self._events_told = 0.0
        self._gone = False
        self._turn = threading.Lock()
        """Held while something is being told."""
        self.every_s = TERMINAL_EVERY_S if self._terminal or as_json else ELSEWHERE_EVERY_S

    async def narrate(self, look: Callable[[], Snapshot]) -> None:
        """Tell until cancelled; then tell the last picture.

        Writing happens in a thread: a terminal that does not take its bytes (a stalled line, Ctrl-S) holds up
        the telling and never the run.
        """
        telling: threading.Thread | None = None
        try:
            while not self._gone:
                await anyio.sleep(self.every_s)
                if telling is None or not telling.is_alive():
                    telling = self._in_thread(self.tell, look())
        finally:
            self._in_thread(self._tell_last, look()).join(_LAST_WORDS_S)

    def _in_thread(self, tell: Callable[[Snapshot], None], picture: Snapshot) -> threading.Thread:
        # A daemon: a terminal that takes nothing must not keep an ended process alive either.
        thread = threading.Thread(target=tell, args=(picture,), name="narrator", daemon=True)
        thread.start()
        return thread

    def _tell_last(self, picture: Snapshot) -> None:
        with self._turn:
            self._tell(picture)
            self._write("\n" if self._terminal else "")

    def tell(self, picture: Snapshot) -> None:
        """Tell one picture, with the warnings since the last one."""
        with self._turn:
            self._tell(picture)

    def _tell(self, picture: Snapshot) -> None:
        """Do so without waiting for one that is being told."""
        if self._gone:
            return
        if self._json:
            self._write(msgspec.json.encode(picture).decode() + "\n")
            return
        news = [event for event in picture.events if event.level != "info" and event.at_s > self._events_told]
        self._events_told = max([self._events_told, *(event.at_s for event in picture.events)])
        lines = [
            f"{clock(event.at_s)} {event.level}: {event.subject} {event.text}".replace("  ", " ")
            for event in news
        ]
        line = progress_line(picture)
        if self._terminal:
            width = shutil.get_terminal_size().columns
            told = "".join(f"\r\x1b[K{safe_line(one)}\n" for one in lines)
            self._write(f"{told}\r\x1b[K{safe_line(line, max(20, width - 1))}")
        else:
            self._write("".join(f"{safe_line(one)}\n" for one in [*lines, line]))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal or the pipe is gone. The run is not: nobody reads this any more, that is all.
            self._gone = True


def quiet_streams(run_dir: Path) -> None:
    """Send what this process still says into the run directory: it runs on without a terminal."""
    log = os.open(run_dir / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(nothing)
