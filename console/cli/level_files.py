"""Levels of a search under the keys of `vllm bench serve`: a file a level, as seed 004's plotting reads them, or one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from console.capacity.search_result import SearchResult
    from console.capacity.search_rows import LevelRows


def write_level_files(
    run_dir: Path, result: SearchResult, directory: Path, *, detailed: bool = False
) -> list[Path]:
    """Write a file a level, of all its requests from the first sending to the last answer, and return their paths.

    Levels measured more than once are `concurrency_N-2.json` and so on; those of single lanes bear the lane's name.
    """
    from console.capacity.search_rows import level_of_search, rows_of_levels, search_asked

    asked = search_asked(run_dir, detailed=detailed)
    known = {level.number for level in result.levels}
    seen: dict[str, int] = {}
    paths: list[Path] = []
    for level in rows_of_levels(run_dir):
        outcome = level.outcome
        if outcome.number not in known or not level.rows:
            continue
        name = f"concurrency_{outcome.concurrency}{safe_name(outcome.subject)}"
        seen[name] = seen.get(name, 0) + 1
        path = directory / (f"{name}.json" if seen[name] == 1 else f"{name}-{seen[name]}.json")
        path.write_bytes(msgspec.json.encode(level_of_search(result, asked, level)) + b"\n")
        paths.append(path)
    return paths


def answer_file(run_dir: Path, result: SearchResult, *, detailed: bool = False) -> dict[str, Any]:
    """Return the result of the level at the answer, with the whole search under `ultra.search`.

    Raises:
        ConsoleError: if no level passes, or the journal lacks it.
    """
    from console.capacity.search_rows import level_of_search, search_asked

    level = _at_answer(run_dir, result)
    found = level_of_search(result, search_asked(run_dir, detailed=detailed), level)
    found["ultra"]["search"] = msgspec.to_builtins(result)
    return found


def answer_aiperf(run_dir: Path, result: SearchResult) -> dict[str, Any]:
    """Return the level at the answer under AIPerf's names.

    Raises:
        ConsoleError: if no level passes, or the journal lacks it.
    """
    from console.capacity.aiperf_file import aiperf_result
    from console.capacity.search_rows import search_asked

    return aiperf_result(result, search_asked(run_dir), _at_answer(run_dir, result))


def _at_answer(run_dir: Path, result: SearchResult) -> LevelRows:
    from console.capacity.search_rows import answer_level, rows_of_level
    from console.vocabulary.errors import ConsoleError

    outcome = answer_level(result)
    if outcome is None:
        raise ConsoleError("no level of it passes, so there is none to tell of", where=result.run_id)
    return rows_of_level(run_dir, outcome.number)


def safe_name(subject: str) -> str:
    """Return the part of a file name that says which lanes: empty for all of them."""
    word = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in subject)
    return f"-{word}" if word else ""
