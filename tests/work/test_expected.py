"""How many requests a test is expected to take."""

from __future__ import annotations

from statistics import fmean

import pytest

from console.vocabulary.names import TASK_TYPES
from console.vocabulary.test_id import TestId
from console.work.expected import expected_turns
from console.work.library import task_of
from console.work.templates import TEMPLATES


def expected(task_type, rate="0.8"):
    return expected_turns(TestId("m", "optimal", "easy", rate, task_type, 1))


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_needed_calls_are_those_of_the_library_made_again_as_often_as_tools_fail(task_type):
    instances = range(1, len(TEMPLATES[task_type]) + 1)
    calls = fmean(len(task_of(0, task_type, instance).plan) for instance in instances)
    assert expected(task_type, "1") == pytest.approx(calls + 1)
    assert expected(task_type, "0.8") == pytest.approx(min(10, calls / 0.8 + 1))


def test_turns_are_bounded():
    assert expected("multi_stage_pipeline", "0.5") == expected("simple_task", "0") == 10


def test_a_test_takes_some_six_requests_on_average():
    assert 5 < fmean(map(expected, TASK_TYPES)) < 7
