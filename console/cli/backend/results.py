"""Results of runs for the console."""

from __future__ import annotations

from pathlib import Path

from console.records.print_summary import summary_notes, summary_tables
from console.records.run_file import read_run_file
from console.records.summary import summarise
from console.records.summary_types import Summary
from console.screens.results.needs import ResultsView, ResultTable
from console.vocabulary.client_health import result_text


class Reading:
    """What the results screen asks."""

    def results(self, run_dir: Path) -> ResultsView:
        """Return the results of a run, ended or not."""
        storage = "json" if read_run_file(run_dir).storage == "json" else "parquet"
        summary = summarise(run_dir, storage=storage)
        tables = summary_tables(summary, wide=True, lanes=True)
        notes = summary_notes(summary)
        if summary.client is not None and not summary.client.bad:
            notes = (f"client: {result_text(summary.client)}", *notes)
        return ResultsView(
            run_id=summary.run_id,
            run_dir=run_dir,
            title=summary.title,
            profile=summary.profile,
            kind=summary.state,
            simulated=summary.simulated,
            tables=tuple(
                # The notes speak of the last table's figures as of all others: they stand at the end.
                ResultTable(table.title, table.columns, table.rows, notes if table is tables[-1] else ())
                for table in tables
            ),
            notes=_headline_notes(summary),
        )


def _headline_notes(summary: Summary) -> tuple[str, ...]:
    """Return what is said above the tables: what is missing, and whether the client is to be believed."""
    notes = [summary.partial_reason] if summary.partial else []
    if summary.client is not None and summary.client.bad:
        notes.append(f"client: {result_text(summary.client)}")
    return tuple(notes)
