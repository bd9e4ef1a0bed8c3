"""What becomes of a search on the disk: its result read back, its exit code, what lanes bear together."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueing import Server, play

from console.capacity.ramp import RampSettings
from console.capacity.ramp_search import RampSearch
from console.capacity.rules import RuleSettings
from console.capacity.search_result import SearchResult, read_search_result, write_search_result
from console.cli.search_text import joint_lines, level_table, search_lines
from console.vocabulary.errors import ConsoleError, ExitCode


@pytest.fixture(scope="module")
def result() -> SearchResult:
    search = RampSearch(RampSettings(ladder=(5, 10, 20, 50)), RuleSettings())
    levels = play(search, Server(slots=16))
    return SearchResult(
        run_id="r", model="m", kind="ramp", simulated=True, state="finished", answers=(search.answer(levels),),
        levels=tuple(levels),
    )  # fmt: skip


def test_a_result_is_read_as_it_was_written(result, tmp_path: Path):
    write_search_result(tmp_path, result)
    assert read_search_result(tmp_path) == result
    (tmp_path / "search.json").write_text("{")
    with pytest.raises(ConsoleError, match="cannot be read"):
        read_search_result(tmp_path)
    (tmp_path / "search.json").unlink()
    with pytest.raises(ConsoleError, match="no capacity search that has ended"):
        read_search_result(tmp_path)


def test_the_exit_code_says_whether_the_answer_is_certain(result):
    import msgspec

    assert result.exit_code is ExitCode.DONE
    unsure = msgspec.structs.replace(result.answers[0], state="undecided")
    assert msgspec.structs.replace(result, answers=(unsure,)).exit_code is ExitCode.INCOMPLETE


def test_the_report_names_the_answer_every_level_and_the_simulator(result):
    text = "\n".join(search_lines(result, 100))
    assert "SIMULATED" in text
    assert "bears 16 concurrent requests" in text.replace("\n", " ")
    assert all(len(line) <= 100 for line in text.splitlines() if line.startswith("bears"))
    assert len(level_table(result.levels)) == len(result.levels) + 1
    assert "no drift" in text


@pytest.mark.parametrize(
    ("alone", "together", "said"),
    [
        ((8, 8), 16, "one more such lane would bring about 8 more"),
        ((8, 8), 8, "would bring nothing"),
        ((8, 8), 12, "share a bottleneck in part"),
    ],
)
def test_what_one_more_lane_would_bring_follows_from_lanes_alone_and_together(result, alone, together, said):
    import msgspec

    def answer(subject, capacity):
        return msgspec.structs.replace(result.answers[0], subject=subject, capacity=capacity)

    answers = [*(answer(f"p/d{number}@k", each) for number, each in enumerate(alone)), answer("", together)]
    lines = joint_lines(answers)
    assert said in lines[1]
    assert f"lanes bear {sum(alone)} one by one and {together} together" in lines[0]


def test_the_table_of_levels_fits_a_terminal_of_80_columns(result):
    assert max(map(len, level_table(result.levels, 80))) <= 80
