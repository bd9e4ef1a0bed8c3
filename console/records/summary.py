"""The summary of a run, made from its journal alone; it can be made again at any time.

    journal/*.jsonl ──▶ requests.parquet, tests.parquet (or .jsonl) ──▶ summary.json

Definitions of the figures: `summary_types.DEFINITIONS`, which is in summary.json as well.
"""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from console.durable import write_atomic
from console.records.chunk_gaps import EXACT_GAPS, GapDistributions
from console.records.lost_rows import lost_text
from console.records.measure import GROUPINGS, MODEL, NEEDED, TESTS_NEEDED, covered_ns, group_summaries
from console.records.planned import read_planned
from console.records.read_journal import Damages
from console.records.run_file import SUMMARY_FILE, RunFile, read_run_file
from console.records.run_lock import is_live
from console.records.shrunk_journal import refuse_to_lose
from console.records.standing import Standing, standing
from console.records.summary_types import GroupSummary, RunKind, Summary
from console.records.tables import Storage, Tables, Watch, collect_tables, verdict_counts, write_table
from console.records.workspace import workspace_in
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line

__all__ = ["GroupSummary", "Summary", "summarise"]

_NS_PER_S: Final = 1e9


def summarise(
    run_dir: Path,
    *,
    storage: Storage = "parquet",
    exact_gaps: int = EXACT_GAPS,
    watch: Watch | None = None,
) -> Summary:
    """Make the tables and the summary of a run, and write them into its directory.

    Args:
        run_dir: the run directory; the run may be live, and the figures are those so far.
        storage: how tables are written.
        exact_gaps: up to so many chunk gaps percentiles of ITL are exact.
        watch: is told how much of the journal has been read, and may end that by what it raises.

    Raises:
        ConsoleError: if the run cannot be read, the files cannot be written, or earlier ones hold more than the journal.
    """
    run_file = read_run_file(run_dir)
    live = is_live(run_dir)
    try:
        with workspace_in(run_dir) as workspace:
            tables = collect_tables(run_dir, workspace, watch)
            refuse_to_lose(run_dir, tables.requests.select(pl.len()).collect().item())
            files = (
                write_table(tables.requests, run_dir, "requests", storage, workspace),
                write_table(tables.tests, run_dir, "tests", storage, workspace),
            )
            summary = _summary(run_dir, run_file, tables, files, live=live, exact_gaps=exact_gaps)
        write_atomic(run_dir / SUMMARY_FILE, msgspec.json.format(msgspec.json.encode(summary), indent=1))
    except (TypeError, OverflowError) as error:  # a number in a row that no column of a table can hold
        raise ConsoleError(
            f"the summary cannot be made: {safe_line(str(error), 200)}", where=str(run_dir)
        ) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConsoleError(f"the summary cannot be written: {reason}", where=str(run_dir)) from error
    return summary


def _summary(
    run_dir: Path, run_file: RunFile, tables: Tables, files: tuple[str, ...], *, live: bool, exact_gaps: int
) -> Summary:
    requests = tables.requests.select(NEEDED).collect()
    all_tests = tables.tests.select(TESTS_NEEDED).collect()
    tests = all_tests.filter(pl.col("reused_from").is_null())
    reused = _reused(all_tests["reused_from"])
    plan = read_planned(run_dir)
    planned = tables.ended.planned if tables.ended is not None else plan.count
    stands = standing(
        requests,
        tests,
        plan,
        planned,
        told=None if tables.ended is None else tables.ended.done,
    )
    gaps = GapDistributions(tables.requests, tables.gaps, exact_up_to=exact_gaps)
    (overall,) = group_summaries(requests, tests, gaps, (), not_run={("all",): stands.not_run})
    not_run = {(model,): count for model, count in stands.not_run_of.items()}
    groups = {
        name: group_summaries(
            requests,
            tests,
            gaps,
            by,
            run_window_s=overall.window_s,
            not_run=not_run if by == MODEL else None,
        )
        for name, by in GROUPINGS.items()
    }
    state = _state(tables, live=live)
    reason = _partial_reason(state, stands, begun=bool(tables.sessions))
    return Summary(
        run_id=run_file.run_id,
        title=run_file.title,
        level=plan.level,
        profile=run_file.profile,
        simulated=bool(run_file.simulated) or bool(requests["simulated"].any()),
        state=state,
        partial=bool(reason),
        partial_reason=reason,
        started=tables.sessions[0].wall if tables.sessions else run_file.created,
        duration_s=covered_ns((one.offset_ns, one.offset_ns + one.end_ns) for one in tables.sessions)
        / _NS_PER_S,
        sessions=len(tables.sessions),
        unit=stands.unit,
        planned=stands.planned,
        done=stands.done,
        remaining=stands.planned - stands.done,
        infrastructure_failures=stands.failed,
        cancelled=stands.cancelled,
        reused=reused,
        not_run=stands.not_run,
        lost=stands.lost,
        failures=stands.failures,
        verdicts=verdict_counts(tests),
        outcomes=overall.outcomes,
        damages=tables.damages,
        client=tables.client.health(overall.ttft.p50_ms),
        overall=overall,
        per_model=groups["per_model"],
        per_lane=groups["per_lane"],
        per_key=groups["per_key"],
        per_deployment=groups["per_deployment"],
        notes=_notes(tables, planned, reused, live=live),
        files=files,
    )


def _state(tables: Tables, *, live: bool) -> RunKind:
    """Return how the run stands; its last row is believed before the lock, which is held a little longer."""
    if tables.ended is None:
        return "live" if live else "partial"
    return "interrupted" if tables.ended.state == "interrupted" else "finished"


def _partial_reason(state: RunKind, stands: Standing, *, begun: bool) -> str:
    if state == "live":
        return "the run is live: figures so far"
    if state == "partial" and not begun:
        return "the journal does not tell that the run began: it is empty, or its beginning is gone"
    if state == "partial":
        return "the engine ended without saying so: everything that had finished by then is here"
    if stands.lost:
        return f"{lost_text(stands.lost, stands.done, stands.unit)}; nothing of them is in any figure"
    if state == "interrupted" and stands.cancelled + stands.not_run:
        return "the run was interrupted: what was cancelled or not run is in no figure"
    return ""


def _reused(sources: pl.Series) -> dict[str, int]:
    """Return how many results were taken over from which run."""
    return {str(run): int(count) for run, count in sources.drop_nulls().value_counts(sort=True).iter_rows()}


def _notes(tables: Tables, planned: int | None, reused: Mapping[str, int], *, live: bool) -> tuple[str, ...]:
    notes = _damage_notes(tables.damages, live=live)
    notes += [
        f"{count} results are taken over from run {run}: they are in the table of tests, and in no figure here"
        for run, count in reused.items()
    ]
    if planned is None:
        notes.append("how much was planned is not known: plan.json does not tell; what has begun is counted")
    if tables.deaths:
        processes = "an engine process" if tables.deaths == 1 else f"{tables.deaths} engine processes"
        notes.append(
            f"{processes} died meanwhile: requests in flight there reached the server, but have no row and are in no figure"
        )
    if tables.tuned:
        times = "once" if tables.tuned == 1 else f"{tables.tuned} times"
        notes.append(
            f"limits were changed by hand {times} (see events): the figures are not those of the profile's limits alone"
        )
    if len(tables.sessions) > 1:
        notes.append(f"started {len(tables.sessions)} times; the time in between is in no rate")
    return tuple(notes)


def _damage_notes(damages: Damages, *, live: bool) -> list[str]:
    notes: list[str] = []
    if damages.torn and not live:
        notes.append(
            f"{damages.torn} torn lines at the end of a segment: the engine was killed in the middle of a write"
        )
    if damages.damaged:
        places = [f", such as {one.where}: {one.reason}" for one in damages.located if not one.torn]
        example = places[0] if places else ""
        notes.append(f"{damages.damaged} damaged lines of the journal were skipped{example}")
    if damages.implausible:
        notes.append(
            f"{damages.implausible} rows have counts of tokens that cannot be: their tokens are in no figure"
        )
    notes += [
        f"{count} rows of kind {kind} are not known to this version"
        for kind, count in damages.unknown.items()
    ]
    return notes
