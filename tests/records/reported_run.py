"""A run of two models and two phases, with all that a report has to tell of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from made_rows import ended, judged, make_run, marks, started

from console.vocabulary.lane import Lane
from console.vocabulary.marks import ErrorClass, OriginalMarks
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import TestRow

MODELS = ("qwen2.5-72b-instruct", "qwen2.5-7b-instruct")
PRESETS = {"goal": {"weights": {"conditions": 0.5, "coverage": 0.5}, "full": 1.0}, "original": {"full": 0.8}}


def ids(model: str, prompt: str, count: int = 12) -> list[str]:
    return [f"{model}/{prompt}/easy/0.8/basic_task/{number}" for number in range(1, count + 1)]


def jobs() -> list[dict[str, Any]]:
    cell = {"difficulty": "easy", "rate": "0.8"}
    first = [
        {"phase": "5.1", "model": model, "prompt_types": ["optimal"], "tests": ids(model, "optimal"), **cell}
        for model in MODELS
    ]
    second = [
        {
            "phase": "5.5",
            "model": model,
            "prompt_types": [prompt],
            "tests": [] if prompt == "optimal" else ids(model, prompt),
            "reused": 12 if prompt == "optimal" else 0,
            **cell,
        }
        for model in MODELS
        for prompt in ("baseline", "optimal")
    ]
    return [*first, *second]


def row(test: str) -> TestRow:
    """The large model is full from instance 3 on, the small one from 9 on; one later without a plan."""
    model, prompt, *_, number = test.split("/")
    instance, easy = int(number), 3 if model == MODELS[0] else 9
    if prompt == "optimal" and instance == 12 and model == MODELS[1]:
        return judged(0, Verdict.INFRASTRUCTURE, score=None, test=test, lane=lane(model))
    full = instance >= easy + (prompt == "baseline")
    verdict = Verdict.FULL if full else Verdict.PARTIAL if instance % 2 else Verdict.FAILURE
    return judged(
        0,
        verdict,
        test=test,
        lane=lane(model),
        score={Verdict.FULL: 1.0, Verdict.PARTIAL: 0.6}.get(verdict, 0.2),
        turns=4,
        marks=marks(
            goal_reached=full,
            error_class=None if full else ErrorClass.TOOL_SELECTION,
            assisted_turns=int(instance == 5),
            original=OriginalMarks(workflow=0.8, phase2=0.7, quality=0.6, verdict=Verdict.PARTIAL),
        ),
    )


def lane(model: str) -> Lane:
    return Lane("lab", model, model, "key0")


def make_reported_run(
    run_id: str = "r", *, whole: bool = True, presets: Any = PRESETS, **changes: Any
) -> Path:
    """Make the run; one that is not `whole` was killed after 30 tests."""
    tests = [test for job in jobs() for test in job["tests"]]
    rows = [started(), *map(row, tests)]
    rows = [*rows, ended(48, 47)] if whole else rows[:31]
    run_dir = make_run(rows, run_id, **{"simulated": True, "title": "5.1, 5.5", **changes})
    (run_dir / "plan.json").write_bytes(msgspec.json.encode({"jobs": jobs(), "scoring": presets}))
    return run_dir
