"""The files of a search that are asked for: found to be possible before, and written after."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from console.capacity.search_result import read_search_result
from console.cli.search_saving import Saving
from console.vocabulary.errors import ConsoleError

sys.path.append(str(Path(__file__).parents[1] / "capacity"))

from search_dir import begins, level, over, request, search_dir, started
from vllm_file import VllmResult

ONE = level(1, 4)
ROWS = [
    started("2026-11-26T10:00:00+00:00"),
    begins(1),
    *(request(1, n, 100 * n) for n in range(4)),
    over(ONE),
]


def test_one_file_holds_the_level_at_the_answer_under_the_name_that_vllm_gives(
    tmp_path: Path, monkeypatch, capsys
):
    run_dir = search_dir(tmp_path / "runs", [ROWS], (ONE,), capacity=4)
    monkeypatch.chdir(tmp_path)
    saving = Saving(result=True, detailed=True)
    saving.check()
    saving.write(run_dir, read_search_result(run_dir))
    (path,) = tmp_path.glob("*.json")
    assert path.name.startswith("azure-chat-infqps-concurrency4-m-2")
    assert path.name in capsys.readouterr().err
    assert len(msgspec.json.decode(path.read_bytes(), type=VllmResult).ttfts) == 4


def test_a_directory_gets_a_file_a_level_and_the_result(tmp_path: Path):
    run_dir = search_dir(tmp_path / "runs", [ROWS], (ONE,), capacity=4)
    (tmp_path / "out").mkdir()
    Saving(result=True, directory=tmp_path / "out", filename=Path("r.json")).write(
        run_dir, read_search_result(run_dir)
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["concurrency_4.json", "r.json"]


def test_a_search_without_a_level_that_passes_has_no_file_and_says_so(tmp_path: Path, capsys):
    run_dir = search_dir(tmp_path / "runs", [], (), state="nothing_passes")
    Saving(result=True, filename=tmp_path / "r.json").write(run_dir, read_search_result(run_dir))
    assert not (tmp_path / "r.json").exists()
    assert "no result is saved" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path):
    run_dir = search_dir(tmp_path / "runs", [ROWS], (ONE,), capacity=4)
    with pytest.raises(ConsoleError, match="cannot be written"):
        Saving(result=True, filename=tmp_path / "none" / "r.json").write(run_dir, read_search_result(run_dir))
