"""How many requests a test is expected to take."""

from __future__ import annotations

import pytest

from console.vocabulary.names import TASK_TYPES
from console.vocabulary.test_id import TestId
from console.work.expected import NEEDED_CALLS, expected_turns


def expected(task_type, rate="0.8"):
    return expected_turns(TestId("m", "optimal", "easy", rate, task_type, 1))


@pytest.mark.parametrize(
    ("task_type", "rate", "turns"),
    [
        ("simple_task", "1", 3.0),  # two calls and the end
        ("simple_task", "0.8", 3.5),
        ("data_pipeline", "0.5", 9.0),
        ("multi_stage_pipeline", "0.8", 7.875),
        ("multi_stage_pipeline", "0.5", 10.0),  # as turns are bounded
        ("simple_task", "0", 10.0),
    ],
)
def test_needed_calls_are_made_again_as_often_as_tools_fail_and_turns_are_bounded(task_type, rate, turns):
    assert expected(task_type, rate) == pytest.approx(turns)


def test_every_task_type_has_its_calls_and_a_mean_of_some_six_requests():
    assert set(NEEDED_CALLS) == set(TASK_TYPES)
    assert sum(map(expected, TASK_TYPES)) / len(TASK_TYPES) == pytest.approx(5.625)
