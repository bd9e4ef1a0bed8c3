"""Rows and runs of a few lines, made the way the engine makes them: real files, real journals."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from console.records.journal import Journal
from console.records.paired_writer import open_rows
from console.records.run_dir import RunFile, create_run_dir, write_run_file
from console.vocabulary.chat import ToolCall
from console.vocabulary.lane import Lane
from console.vocabulary.marks import Marks
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import RequestRow, Row, RunEnded, RunStarted, TestRow
from console.vocabulary.trace import Said, TraceRow

MS = 1_000_000
S = 1_000 * MS
LANE = Lane("azure", "m1", "m1-a", "key0")
ARGUMENTS = '{"path": "in/orders.csv"}'
WALL = "2026-11-20T23:15:07.000+00:00"


def request(number: int = 0, **changes: Any) -> RequestRow:
    """An ok request of 1 s: TTFT 200 ms, last content at 900 ms, 8 tokens in 4 chunks."""
    fields: dict[str, Any] = {
        "test": f"m1/optimal/easy/0.8/simple_task/{number}",
        "lane": LANE,
        "outcome": Outcome.OK,
        "status": 200,
        "at_ns": number * S,
        "ttft_ns": 200 * MS,
        "latency_ns": 900 * MS,
        "total_ns": 1_000 * MS,
        "chunks": 4,
        "chunk_gap_ns": (100 * MS, 200 * MS, 400 * MS),
        "prompt_tokens": 10,
        "completion_tokens": 8,
    }
    return RequestRow(**{**fields, **changes})


def judged(number: int = 0, verdict: Verdict = Verdict.FULL, **changes: Any) -> TestRow:
    """A test of 1 s."""
    fields: dict[str, Any] = {
        "test": f"m1/optimal/easy/0.8/simple_task/{number}",
        "lane": LANE,
        "verdict": verdict,
        "score": 1.0,
        "at_ns": number * S,
        "duration_ns": 1_000 * MS,
    }
    return TestRow(**{**fields, **changes})


def marks(**changes: Any) -> Marks:
    """Marks of a test of three calls, all of them needed and made."""
    fields: dict[str, Any] = {
        "finished": True,
        "conditions": 1.0,
        "coverage": 1.0,
        "order": 1.0,
        "efficiency": 1.0,
        "needed_calls": 3,
        "calls": 3,
    }
    return Marks(**{**fields, **changes})


def trace(number: int = 0, verdict: Verdict = Verdict.FULL, **changes: Any) -> TraceRow:
    """What was said in a test of one turn, whose only call failed."""
    said = (
        Said(turn=0, role="user", content="Ticket simple_task/1"),
        Said(
            turn=1,
            role="assistant",
            content="I read it.",
            reasoning="which tool?",
            calls=(ToolCall("c1", "file_reader", ARGUMENTS),),
        ),
        Said(
            turn=1,
            role="tool",
            tool="file_reader",
            content="no such file",
            failed="arguments: FILE_NOT_FOUND",
        ),
    )
    fields: dict[str, Any] = {
        "test": f"m1/optimal/easy/0.8/simple_task/{number}",
        "lane": LANE,
        "verdict": verdict,
        "said": said,
    }
    return TraceRow(**{**fields, **changes})


def started(run_id: str = "r", wall: str = WALL, **changes: Any) -> RunStarted:
    return RunStarted(run_id=run_id, pid=1, wall=wall, **changes)


def ended(planned: int, done: int, state: str = "finished", at_ns: int = 10 * S) -> RunEnded:
    return RunEnded(at_ns=at_ns, state=state, planned=planned, done=done)


def run_file(run_id: str = "r", **changes: Any) -> RunFile:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "title": "5.1",
        "profile": "sim",
        "created": WALL,
        "pid": 1,
        "simulated": False,
    }
    return RunFile(**{**fields, **changes})


def make_run(rows: Iterable[Row] = (), run_id: str = "r", home: Path | None = None, **changes: Any) -> Path:
    """Make a run directory in the default place, or in `home`; `changes` go into run.toml."""
    run_dir = create_run_dir(home, run_id)
    write_run_file(run_dir, run_file(run_id, **changes))
    add_rows(run_dir, rows)
    return run_dir


def add_rows(run_dir: Path, rows: Iterable[Row], process: int = 0) -> None:
    """Append rows in a segment of their own."""
    with Journal.open(run_dir, process) as journal:
        for row in rows:
            journal.hold(row)


def add_traces(run_dir: Path, *traces: TraceRow, process: int = 0, content: bool = True) -> None:
    """Write traces beside a journal, in a segment of their own."""
    with open_rows(run_dir, process, traces="full" if content else "hashes") as writer:
        for one in traces:
            writer.append(one)


def write_plan(run_dir: Path, **tests: Iterable[int]) -> Path:
    """Plan tests, by number, of each model; one job a model."""
    jobs = [
        {"model": model, "tests": [f"{model}/optimal/easy/0.8/simple_task/{number}" for number in numbers]}
        for model, numbers in tests.items()
    ]
    (run_dir / "plan.json").write_bytes(msgspec.json.encode({"title": "x", "jobs": jobs}))
    return run_dir


def write_level(run_dir: Path, prompts: int, concurrency: int | None = 10, rate: float | None = None) -> Path:
    """Plan one level of load."""
    level = {"max_concurrency": concurrency, "request_rate": rate, "burstiness": 1.0}
    plan = {"kind": "capacity level", "model": "m1", "level": level, "num_prompts": prompts}
    (run_dir / "plan.json").write_bytes(msgspec.json.encode(plan))
    return run_dir
