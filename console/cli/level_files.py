"""`concurrency_N.json` of every level of a search, under the keys of `vllm bench serve`, as seed 004's plotting reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.vocabulary.rows import RequestRow

if TYPE_CHECKING:
    from console.capacity.search_result import SearchResult


def write_level_files(run_dir: Path, result: SearchResult, directory: Path) -> list[Path]:
    """Write a file a level, of all its requests from the first sending to the last answer, and return their paths.

    Levels measured more than once are `concurrency_N-2.json` and so on; those of single lanes bear the lane's name.
    """
    from console.capacity.level_result import LevelAsked, level_result
    from console.engine.load import Level
    from console.records.run_file import read_run_file

    run_file = read_run_file(run_dir)
    by_number = {level.number: level for level in result.levels}
    seen: dict[str, int] = {}
    paths: list[Path] = []
    for number, rows in _rows_of_levels(run_dir):
        outcome = by_number.get(number)
        if outcome is None:
            continue
        asked = LevelAsked(
            model=result.model,
            api="openai",
            level=Level(max_concurrency=outcome.concurrency, request_rate=outcome.rate),
            num_prompts=len(rows),
            input_len=None,
            output_len=None,
            simulated=result.simulated,
            created=datetime.fromisoformat(run_file.created),
            run_id=result.run_id,
        )
        found = level_result(asked, rows)
        found["ultra"]["level"] = msgspec.to_builtins(outcome)
        name = f"concurrency_{outcome.concurrency}{safe_name(outcome.subject)}"
        seen[name] = seen.get(name, 0) + 1
        path = directory / (f"{name}.json" if seen[name] == 1 else f"{name}-{seen[name]}.json")
        path.write_bytes(msgspec.json.encode(found) + b"\n")
        paths.append(path)
    return paths


def _rows_of_levels(run_dir: Path) -> Iterator[tuple[int, list[RequestRow]]]:
    """Yield the request rows of each level; a level that was begun anew has those of its last beginning."""
    from console.records.read_journal import read_rows

    requests = (
        row for row in read_rows(run_dir) if isinstance(row, RequestRow) and row.test.startswith("level/")
    )
    for number, rows in groupby(requests, key=lambda row: int(row.test.split("/")[1])):
        yield number, list(rows)


def safe_name(subject: str) -> str:
    """Return the part of a file name that says which lanes: empty for all of them."""
    word = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in subject)
    return f"-{word}" if word else ""
