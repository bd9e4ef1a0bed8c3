"""What a journal has lost since tables were made of it: the tables are then all there is, and stay."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.records.run_file import SUMMARY_FILE
from console.vocabulary.errors import ConsoleError


class _Overall(msgspec.Struct, frozen=True):
    requests: int = 0


class _Earlier(msgspec.Struct, frozen=True):
    overall: _Overall = _Overall()
    files: tuple[str, ...] = ()


def refuse_to_lose(run_dir: Path, requests: int) -> None:
    """Refuse where the tables in a run directory hold more requests than its journal does.

    A journal only grows, so one that holds less was cut, damaged or taken away.

    Args:
        run_dir: the run directory.
        requests: how many the journal holds.

    Raises:
        ConsoleError: if the tables hold more; it says what to do.
    """
    path = run_dir / SUMMARY_FILE
    try:
        earlier = msgspec.json.decode(path.read_bytes(), type=_Earlier)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return
    if earlier.overall.requests <= requests:
        return
    tables = [name for name in earlier.files if (run_dir / name).is_file()]
    if not tables:
        return
    raise ConsoleError(
        f"the journal holds {requests:,} requests, and the tables made of it before hold "
        f"{earlier.overall.requests:,}: they are left as they are",
        where=str(run_dir),
        hint=f"put the whole of journal/ back; or move {', '.join(tables)} and {SUMMARY_FILE} elsewhere, "
        "for figures of what is left",
    )
