"""The requests of a search, level by level, and how they were asked for: from its run directory alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from console.capacity.level_result import LevelAsked, level_result
from console.capacity.level_stats import Reported
from console.capacity.search_request import read_search_request
from console.capacity.search_result import SearchResult
from console.engine.arrivals import Level
from console.records.read_journal import read_rows
from console.records.run_file import read_run_file
from console.vocabulary.errors import ConsoleError
from console.vocabulary.level import LevelOutcome
from console.vocabulary.rows import EventRow, LevelRow, RequestRow, RunStarted

_BEGINS: Final = "level"
"""Kind of the event that the engine writes before each beginning of a level."""


class LevelRows(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of one level that is over, in the order of the journal."""

    outcome: LevelOutcome
    wall: datetime
    """What the times of its rows count from."""
    rows: tuple[RequestRow, ...]

    @property
    def began(self) -> datetime:
        """When its first request was sent."""
        return self.wall + timedelta(seconds=min((row.at_ns for row in self.rows), default=0) / 1e9)


class SearchAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What the levels of a search have in common."""

    apis: dict[str, str] = {}
    """Provider → the form of its API."""
    input_len: int | None = None
    """Mean length of a prompt, None where prompts come from a dataset."""
    output_len: int | None = None
    burstiness: float = 1.0
    report: Reported = Reported()


def search_asked(run_dir: Path, *, detailed: bool = False) -> SearchAsked:
    """Read what a search was asked for; of a plan that is broken or older what is known.

    Raises:
        ConsoleError: if there is no `run.toml`.
    """
    providers = _table(read_run_file(run_dir).profile_record.get("providers"))
    apis = {name: str(_table(provider).get("api", "openai")) for name, provider in providers.items()}
    try:
        search = read_search_request(run_dir)
    except ConsoleError:
        return SearchAsked(apis=apis, report=Reported(detailed=detailed))
    tokenizer = search.prompts.get("tokenizer")
    return SearchAsked(
        apis=apis,
        input_len=_length(search.prompts, "input_len", "prefix_len"),
        output_len=_length(search.prompts, "output_len"),
        burstiness=search.burstiness,
        report=Reported(
            goodput=dict(search.goodput),
            tokenizer=tokenizer if isinstance(tokenizer, str) else None,
            detailed=detailed,
        ),
    )


def rows_of_levels(run_dir: Path) -> Iterator[LevelRows]:
    """Yield each level that is over, with the requests of its last beginning.

    A level that was killed, paused or otherwise disturbed is begun anew under its number: what was sent before is
    part of no measurement.

    Raises:
        ConsoleError: if the journal cannot be read.
    """
    wall = datetime.min.replace(tzinfo=UTC)
    rows: list[RequestRow] = []
    for row in read_rows(run_dir):
        if isinstance(row, RunStarted):
            wall, rows = datetime.fromisoformat(row.wall), []
        elif isinstance(row, EventRow):
            rows = [] if row.kind == _BEGINS else rows
        elif isinstance(row, RequestRow):
            rows.append(row)
        elif isinstance(row, LevelRow):
            mine = f"level/{row.outcome.number}/"
            yield LevelRows(
                outcome=row.outcome, wall=wall, rows=tuple(one for one in rows if one.test.startswith(mine))
            )
            rows = []


def rows_of_level(run_dir: Path, number: int) -> LevelRows:
    """Return the requests of one level.

    Raises:
        ConsoleError: if the journal has none, or cannot be read.
    """
    for level in rows_of_levels(run_dir):
        if level.outcome.number == number and level.rows:
            return level
    raise ConsoleError(f"its journal has no requests of level {number}", where=run_dir.name)


def level_of_search(result: SearchResult, asked: SearchAsked, level: LevelRows) -> dict[str, Any]:
    """Return the result of one level of a search, of all its requests from the first sending to the last answer."""
    outcome = level.outcome
    provider = level.rows[0].lane.provider if level.rows else ""
    found = level_result(
        LevelAsked(
            model=result.model,
            api=asked.apis.get(provider, "openai"),
            level=Level(
                max_concurrency=outcome.concurrency,
                request_rate=outcome.rate,
                burstiness=asked.burstiness,
            ),
            num_prompts=len({row.test for row in level.rows}),
            input_len=asked.input_len,
            output_len=asked.output_len,
            simulated=result.simulated,
            created=level.began,
            run_id=result.run_id,
            report=asked.report,
        ),
        level.rows,
    )
    found["ultra"]["level"] = msgspec.to_builtins(outcome)
    return found


def answer_level(result: SearchResult) -> LevelOutcome | None:
    """Return the level at the answer of all lanes together; None: no level passes.

    That is the valid level nearest to the capacity, of several at one concurrency the last; without a capacity the
    last level that passes. Where none is valid, suspect ones stand in.
    """
    if not result.answers:
        return None
    answer = result.answers[-1]
    levels = [level for level in result.levels if level.subject == answer.subject]
    capacity = answer.capacity
    if capacity is not None:
        valid = [level for level in levels if level.validity == "valid"]
        near = valid or [level for level in levels if level.validity == "suspect"]
        return min(
            near,
            key=lambda level: (abs(level.concurrency - capacity), level.verdict != "pass", -level.number),
            default=None,
        )
    return next((level for level in reversed(levels) if level.verdict == "pass"), None)


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _length(prompts: dict[str, Any], *names: str) -> int | None:
    """Return a length of made-up prompts, None where it is not known or they come from a dataset."""
    lengths = [prompts.get(name) for name in names]
    if prompts.get("dataset") or not isinstance(lengths[0], int):
        return None
    return sum(length for length in lengths if isinstance(length, int))
