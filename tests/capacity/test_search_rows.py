"""The requests of a search by levels: those of the last beginning, and what they were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from search_dir import begins, level, over, request, search_dir, started
from vllm_file import VllmResult, told

from console.capacity.search_result import read_search_result
from console.capacity.search_rows import answer_level, rows_of_levels, search_asked
from console.cli.level_files import answer_file, write_level_files
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome

FIRST = [request(1, number, 100 * number) for number in range(4)]
KILLED = [request(2, 4 + number, 1000 + 100 * number) for number in range(3)]
PAUSED = [request(2, 100_007 + number, 100 * number) for number in range(2)]
LAST = [
    *(request(2, 100_009 + number, 5000 + 250 * number, ttft_ms=200.0) for number in range(4)),
    request(2, 100_013, 5900, outcome=Outcome.SERVER_ERROR),
]
LEVELS = (level(1, 2), level(2, 8, spent_requests=5))


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A search that was killed in its second level, went on, was paused in it, and measured it to the end."""
    return search_dir(
        tmp_path,
        [
            [started("2026-11-26T10:00:00+00:00"), begins(1), *FIRST, over(LEVELS[0]), begins(2), *KILLED],
            [started("2026-11-26T11:00:00+00:00", resumed=True), begins(2), *PAUSED, begins(2), *LAST, over(LEVELS[1])],
        ],
        LEVELS,
        capacity=8,
        goodput=(("ttft", 150.0),),
    )  # fmt: skip


def test_a_level_that_is_begun_anew_has_the_requests_of_its_last_beginning(run_dir: Path):
    first, second = rows_of_levels(run_dir)
    assert list(first.rows) == FIRST
    assert list(second.rows) == LAST
    assert second.began.isoformat() == "2026-11-26T11:00:05+00:00"


def test_without_events_a_session_that_goes_on_begins_the_level_anew(tmp_path: Path):
    sessions = [
        [started("2026-11-26T10:00:00+00:00"), *KILLED],
        [started("2026-11-26T11:00:00+00:00", resumed=True), *LAST, over(LEVELS[1])],
    ]
    (found,) = rows_of_levels(search_dir(tmp_path, sessions, LEVELS))
    assert list(found.rows) == LAST


def test_files_of_levels_are_read_by_a_strict_parser_and_tell_api_and_lengths(run_dir: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    paths = write_level_files(run_dir, read_search_result(run_dir), out)
    assert [path.name for path in paths] == ["concurrency_2.json", "concurrency_8.json"]
    read = strictly(paths[1].read_bytes())
    assert (read.num_prompts, read.completed, read.failed) == (5, 4, 1)
    assert (read.date, read.backend, read.max_concurrency) == ("20261126-110005", "azure-chat", 8)
    assert read.mean_ttft_ms == pytest.approx(200)
    assert read.duration == pytest.approx(1.4)
    assert read.request_throughput == pytest.approx(4 / 1.4)
    assert read.request_goodput == 0
    assert (read.ultra["random_input_len"], read.ultra["random_output_len"]) == (25, 11)
    assert strictly(paths[0].read_bytes()).request_goodput == pytest.approx(4 / 0.8)


def test_a_dataset_has_no_lengths_and_a_broken_plan_is_done_without(tmp_path: Path):
    run_dir = search_dir(tmp_path, [], (), api="openai", prompts={"input_len": 1024, "dataset": "x.jsonl"})
    asked = search_asked(run_dir)
    assert (asked.apis, asked.input_len, asked.output_len) == ({"az": "openai"}, None, None)
    (run_dir / "plan.json").write_text("{")
    assert search_asked(run_dir).apis == {"az": "openai"}


@pytest.mark.parametrize("detailed", [False, True])
def test_the_level_at_the_answer_is_a_file_of_vllms_with_the_search_in_it(run_dir: Path, detailed: bool):
    data = msgspec.json.encode(answer_file(run_dir, read_search_result(run_dir), detailed=detailed))
    read = strictly(data)
    assert read.max_concurrency == 8
    assert (read.ttfts is msgspec.UNSET) != detailed
    assert read.ultra["search"] == json.loads((run_dir / "search.json").read_bytes())
    assert read.ultra["level"]["number"] == 2


def test_which_level_is_at_the_answer(tmp_path: Path):
    levels = (
        level(1, 4),
        level(2, 9, validity="invalid", reasons=("x",)),
        level(3, 8),
        level(4, 8),
        level(5, 20),
        level(6, 9, subject="lane"),
    )

    def at(*, found=levels, **answer):
        run_dir = search_dir(tmp_path / str(len(list(tmp_path.iterdir()))), [], found, **answer)
        one = answer_level(read_search_result(run_dir))
        return None if one is None else one.number

    assert at(capacity=9) == 4, "the valid level nearest to it, the last of several"
    assert at(capacity=19) == 5
    assert at(capacity=9, found=levels[1:2]) is None
    assert at(state="undecided") == 5, "without a capacity the last that passes"
    assert at(state="nothing_passes", found=levels[1:2]) is None


def test_a_search_in_which_no_level_passes_is_told_so(tmp_path: Path):
    run_dir = search_dir(tmp_path, [], (), state="nothing_passes")
    with pytest.raises(ConsoleError, match="no level of it passes"):
        answer_file(run_dir, read_search_result(run_dir))


def test_a_journal_that_lost_the_level_is_told_so(tmp_path: Path):
    run_dir = search_dir(tmp_path, [], LEVELS, capacity=8)
    with pytest.raises(ConsoleError, match="no requests of level 2"):
        answer_file(run_dir, read_search_result(run_dir))


def strictly(data: bytes) -> VllmResult:
    read = msgspec.json.decode(data, type=VllmResult)
    assert list(json.loads(data)) == told(read)
    return read
