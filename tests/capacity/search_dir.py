"""The run directory of a search, written by hand: a journal whose rows are known to the number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from made_level import MS, S, made_row

from console.capacity.answer import Answer
from console.capacity.search_result import SearchResult, write_search_result
from console.records.journal import Journal
from console.records.run_file import RunFile, write_run_file
from console.vocabulary.lane import Lane
from console.vocabulary.level import Estimate, LevelOutcome
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import EventRow, LevelRow, RequestRow, Row, RunStarted

RUN_ID = "20261126-100000-search-t"
LANE = Lane("az", "m", "d", "k")


def level(number: int, concurrency: int, **changes) -> LevelOutcome:
    return LevelOutcome(
        **{
            "number": number,
            "purpose": "scan",
            "concurrency": concurrency,
            "from_ns": 0,
            "to_ns": S,
            "outcomes": {"ok": 4},
            "ended": 4,
            "success": Estimate(1.0, 0.5, 1.0, 4),
            "requests_per_s": Estimate(4.0, 3.0, 5.0, 4),
            "work_per_s": Estimate(4.0),
            "work_unit": "requests",
            "in_flight": float(concurrency),
            "spent_s": 1.0,
            "spent_requests": 4,
            **changes,
        }
    )


def request(number: int, prompt: int, at_ms: int, **fields) -> RequestRow:
    gaps = fields.pop("gaps", (10, 30))
    return made_row(
        at_ms * MS,
        test=f"level/{number}/{prompt}",
        lane=LANE,
        chunk_gap_ns=tuple(gap * MS for gap in gaps)
        if fields.get("outcome", Outcome.OK) is Outcome.OK
        else (),
        **fields,
    )


def started(wall: str, *, resumed: bool = False) -> RunStarted:
    return RunStarted(run_id=RUN_ID, pid=1, wall=wall, resumed=resumed)


def begins(number: int) -> EventRow:
    return EventRow(at_ns=0, level="info", kind="level", text=f"level {number}: begins")


def over(outcome: LevelOutcome) -> LevelRow:
    return LevelRow(at_ns=0, outcome=outcome)


def search_dir(
    directory: Path,
    sessions: Sequence[Sequence[Row]],
    levels: Sequence[LevelOutcome],
    *,
    api: str = "azure",
    prompts: dict | None = None,
    goodput: Sequence[tuple[str, float]] = (),
    **answer,
) -> Path:
    """Write `run.toml`, `plan.json`, a segment a session, and `search.json`."""
    run_dir = directory / RUN_ID
    run_dir.mkdir(parents=True)
    write_run_file(
        run_dir,
        RunFile(
            run_id=RUN_ID, title="capacity search", profile="t", created="2026-11-26T10:00:00+00:00", pid=1,
            profile_record={"providers": {"az": {"api": api}}},
        ),
    )  # fmt: skip
    prompts = {"input_len": 20, "prefix_len": 5, "output_len": 11} if prompts is None else prompts
    plan = {"kind": "capacity search", "search": {"model": "m", "prompts": prompts, "goodput": list(goodput)}}
    (run_dir / "plan.json").write_text(json.dumps(plan))
    for rows in sessions:
        with Journal.open(run_dir) as journal:
            for row in rows:
                journal.append(row)
    found = Answer(**{"kind": "ramp", "state": "found", "line": "bears some", **answer})
    write_search_result(
        run_dir,
        SearchResult(
            run_id=RUN_ID, model="m", kind=found.kind, simulated=False, state="finished", answers=(found,),
            levels=tuple(levels),
        ),
    )  # fmt: skip
    return run_dir
