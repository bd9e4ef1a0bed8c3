"""The rows of a run and what was said in its tests, in two files: a trace is there before the row of its test.

A row tells that a test is finished, so what is behind it has to be on its way to the disk first. Whoever writes sees
one writer: where the disk takes no trace, it takes no row either, and both are kept until it does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from console.records.journal import ROTATE_BYTES, Journal, JournalBlocked, Write
from console.vocabulary.outcome import TERMINAL
from console.vocabulary.rows import Row, TestRow
from console.vocabulary.trace import TraceRow, Traces, text_mark, without_content

TRACES: Final = "traces"
"""The folder in the run directory. Its segments are found by listing it; `run.toml` names only those of the journal."""


class PairedWriter:
    """Writes traces and rows of one process. Used as a `Journal` is."""

    def __init__(self, journal: Journal, traces: Journal, *, content: bool = True) -> None:
        """Write rows into `journal` and traces into `traces`; without `content`, none of what was said."""
        self._journal = journal
        self._traces = traces
        self._content = content

    def __enter__(self) -> PairedWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pending_rows(self) -> int:
        """Rows and traces that are not wholly written yet."""
        return self._traces.pending_rows + self._journal.pending_rows

    def append(self, row: Row | TraceRow) -> None:
        """Write one row or trace, and what was kept before.

        Raises:
            JournalBlocked: if the disk does not take it. It is kept.
        """
        self.hold(row)
        self.flush()

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row or a trace for the next `flush`."""
        if isinstance(row, TraceRow):
            self._hold_trace(row if self._content else without_content(row))
        elif not self._content and isinstance(row, TestRow) and row.detail and row.verdict in TERMINAL:
            # It may quote the model.
            self._journal.hold(msgspec.structs.replace(row, detail=text_mark(row.detail)))
        else:
            self._journal.hold(row)

    def _hold_trace(self, trace: TraceRow) -> None:
        try:
            self._traces.hold(trace)
        except UnicodeEncodeError:  # half a surrogate, which arguments in JSON may hold; no text has that
            self._traces.hold(msgspec.convert(_mended(msgspec.to_builtins(trace)), TraceRow))

    def flush(self) -> None:
        """Write what is kept, all traces before the first row.

        Raises:
            JournalBlocked: if the disk still does not take it.
        """
        try:
            self._traces.flush()
            self._journal.flush()
        except JournalBlocked as error:
            error.pending_rows = self.pending_rows
            raise

    def close(self) -> None:
        """Write what is kept, make it durable and close. A second call does nothing.

        A row whose trace the disk did not take is still tried: a result is worth more than how it came about.

        Raises:
            JournalBlocked: if something could not be written or made durable; all is closed all the same.
        """
        try:
            self._traces.close()
        finally:
            self._journal.close()


RowsOfRun = Journal | PairedWriter
"""Takes all that one process of a run writes."""


def open_rows(
    run_dir: Path,
    process: int = 0,
    *,
    traces: Traces = "none",
    rotate_bytes: int = ROTATE_BYTES,
    on_rotate: Callable[[str], None] | None = None,
    write: Write = os.write,
) -> RowsOfRun:
    """Open new segments of `process`: of the journal, and of the traces if they are kept.

    Arguments are those of `Journal.open`; `on_rotate` is told of segments of the journal only.

    Raises:
        ConsoleError: if no segment can be made there.
    """
    kept: Journal | None = None
    if traces != "none":
        kept = Journal.open(run_dir, process, folder=TRACES, rotate_bytes=rotate_bytes, write=write)
    try:
        journal = Journal.open(run_dir, process, rotate_bytes=rotate_bytes, on_rotate=on_rotate, write=write)
    except BaseException:
        if kept is not None:
            kept.close()
        raise
    return journal if kept is None else PairedWriter(journal, kept, content=traces == "full")


def _mended(value: Any) -> Any:
    """Return a value of JSON with a replacement character for each half of a surrogate."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _mended(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [_mended(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
