"""How far a run has come, in one set of counts that adds up: planned = done + failed + cancelled + not run."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import polars as pl

from console.records.planned import Planned
from console.vocabulary.outcome import TERMINAL, Outcome, Verdict

_PROMPT: Final = "^(prompt|level)/"
"""What the work of capacity levels and searches is called."""
_NO_REQUEST: Final = "no request"
_INCOMPLETE: Final = "incomplete answer"
"""The last request was ok, but what it brought was not all that the test needs."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of tests, or of the prompts of a level of load."""

    unit: Literal["tests", "prompts"]
    planned: int
    done: int
    """Tests with a terminal verdict; prompts answered in full."""
    failed: int
    """Ended without a complete answer."""
    cancelled: int
    not_run: int
    """Without a row in the journal."""
    lost: int = 0
    """Of those: done all the same, as the last row of the run says."""
    failures: dict[str, int]
    """The failed ones by the outcome of their last request."""
    not_run_of: dict[str, int]
    """Tests that were not run, by every model of the plan."""


def standing(
    requests: pl.DataFrame,
    tests: pl.DataFrame,
    plan: Planned,
    planned: int | None,
    *,
    told: int | None = None,
) -> Standing:
    """Count a run.

    Args:
        requests: in the order in which they were written.
        tests: the row of each test that counts.
        plan: the plan as far as it is known.
        planned: how many there were to do, where that is known.
        told: how many were done, as the last row of the run says; None: it has none.
    """
    last = requests.group_by("test").agg(
        pl.col("outcome").last(), (pl.col("outcome") == str(Outcome.OK)).any().alias("answered")
    )
    if plan.prompts is not None or (tests.is_empty() and bool(last["test"].str.contains(_PROMPT).any())):
        counted = _of_prompts(last, planned)
    else:
        counted = _of_tests(last, tests, plan, planned)
    lost = min(counted.not_run, max(0, (told or 0) - counted.done))
    return msgspec.structs.replace(counted, lost=lost)


def _of_tests(last: pl.DataFrame, tests: pl.DataFrame, plan: Planned, planned: int | None) -> Standing:
    verdicts = _counts(tests["verdict"])
    failed = tests.filter(pl.col("verdict") == str(Verdict.INFRASTRUCTURE)).join(last, on="test", how="left")
    failures = _counts(failed["outcome"].fill_null(_NO_REQUEST))
    if str(Outcome.OK) in failures:
        failures[_INCOMPLETE] = failures.pop(str(Outcome.OK))
    whole = tests.height if planned is None else max(planned, tests.height)
    seen: set[str] = set(tests["test"])
    return Standing(
        unit="tests",
        planned=whole,
        done=sum(verdicts.get(str(verdict), 0) for verdict in TERMINAL),
        failed=verdicts.get(str(Verdict.INFRASTRUCTURE), 0),
        cancelled=verdicts.get(str(Verdict.CANCELLED), 0),
        not_run=whole - tests.height,
        failures=_most_first(failures),
        not_run_of={model: sum(test not in seen for test in ids) for model, ids in plan.tests.items()},
    )


def _of_prompts(last: pl.DataFrame, planned: int | None) -> Standing:
    whole = last.height if planned is None else max(planned, last.height)
    failures = _counts(last.filter(~pl.col("answered"))["outcome"])
    cancelled = failures.pop(str(Outcome.CANCELLED), 0)
    return Standing(
        unit="prompts",
        planned=whole,
        done=int(last["answered"].sum()),
        failed=sum(failures.values()),
        cancelled=cancelled,
        not_run=whole - last.height,
        failures=_most_first(failures),
        not_run_of={},
    )


def _counts(values: pl.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in values.value_counts().iter_rows()}


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
