"""`search.json`: what a search found, with everything that it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from console.capacity.answer import CERTAIN, Answer
from console.durable import write_atomic
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.level import LevelOutcome
from console.vocabulary.snapshot import RunState

SEARCH_FILE: Final = "search.json"


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """A whole search."""

    run_id: str
    model: str
    kind: Literal["ramp", "target", "seed004"]
    simulated: bool
    state: RunState
    answers: tuple[Answer, ...]
    """One a subject; the last one is of all lanes together."""
    levels: tuple[LevelOutcome, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Done, where all answers are certain."""
        certain = self.answers and all(answer.state in CERTAIN for answer in self.answers)
        return ExitCode.DONE if certain else ExitCode.INCOMPLETE


def write_search_result(run_dir: Path, result: SearchResult) -> None:
    """Write it in one step."""
    write_atomic(run_dir / SEARCH_FILE, msgspec.json.format(msgspec.json.encode(result), indent=1))


def read_search_result(run_dir: Path) -> SearchResult:
    """Read it.

    Raises:
        ConsoleError: if there is none, or it is not readable.
    """
    path = run_dir / SEARCH_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=SearchResult)
    except FileNotFoundError:
        raise ConsoleError(
            "is no capacity search that has ended",
            where=run_dir.name,
            hint="`ultra-console capacity resume` goes on with one that was killed",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(path)) from error
