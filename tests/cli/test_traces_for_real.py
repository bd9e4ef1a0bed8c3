"""Traces of real runs: one process and several, with content and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import only_run, ultra

from console.records.read_journal import read_rows, segments_of
from console.records.rows_codec import decode_trace
from console.records.run_file import read_run_file
from console.vocabulary.rows import TestRow

RUN = ("run", "--model", "qwen2.5-7b-instruct", "--num-instances", "2")


@pytest.mark.parametrize(
    ("flags", "processes", "kept"),
    [((), [0], "full"), (("--processes", "2", "--no-content"), [1, 2], "hashes")],
)
def test_every_test_of_a_run_has_its_trace(
    tmp_path: Path, flags: tuple[str, ...], processes: list[int], kept: str
) -> None:
    code, _, err = ultra(*RUN, *flags, "--out", str(tmp_path))
    assert code == 0, err
    run_dir = only_run(tmp_path)
    assert read_run_file(run_dir).traces == kept
    segments = segments_of(run_dir, "traces")
    assert sorted({segment.process for segment in segments}) == processes
    traces = [decode_trace(line) for segment in segments for line in segment.path.read_bytes().splitlines()]
    rows = [row for row in read_rows(run_dir) if isinstance(row, TestRow)]
    assert len(rows) == 10
    assert sorted((one.test, one.attempt, one.verdict) for one in traces) == sorted(
        (row.test, row.attempt, row.verdict) for row in rows
    )
