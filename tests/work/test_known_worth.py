"""What scoring has to hold for policies whose worth is known, on five hundred instances."""

import pytest

from console.vocabulary.names import FLAWS, FLAWS_OF_SEED_003, TASK_TYPES
from console.vocabulary.outcome import Verdict
from console.work.course import Course, Ending
from console.work.flaws import flawed_plan
from console.work.library import task_of
from console.work.scoring import mark
from console.work.session import Session

INSTANCES = [(task_type, number) for task_type in TASK_TYPES for number in range(1, 101)]


def followed(task, plan, *, rate=1.0, seed=0, tries=1):
    """Follow a plan blindly, each call up to `tries` times, and finish."""
    session = Session(task, seed=seed, success_rate=rate)
    for turn, step in enumerate(plan, 1):
        for _ in range(tries):
            if session.call(turn, step.tool, step.arguments).ok:
                break
    return mark(session, Course(turns=len(plan) + 1, ending=Ending.FINISH))


def test_a_perfect_policy_is_full_everywhere_and_one_that_does_nothing_fails_everywhere():
    for task_type, number in INSTANCES:
        task = task_of(0, task_type, number)
        perfect = followed(task, task.plan)
        assert (perfect.verdict, perfect.score) == (Verdict.FULL, 1.0)
        assert perfect.marks.original.verdict is Verdict.FULL
        nothing = followed(task, ())
        assert (nothing.verdict, nothing.score) == (Verdict.FAILURE, 0.0)
        assert nothing.marks.error_class is not None


@pytest.mark.parametrize("flaw", dict.fromkeys(FLAWS + FLAWS_OF_SEED_003))
def test_who_follows_a_flawed_plan_blindly_scores_lower_than_with_the_true_one(flaw):
    for task_type, number in INSTANCES:
        task = task_of(0, task_type, number)
        misled = followed(task, flawed_plan(task, flaw))
        assert misled.score < 1.0, (task.id, flaw)


def test_tools_that_fail_by_chance_cost_a_policy_that_makes_calls_again_nothing():
    """Failures by chance are no fault of a model: made good, the score is whole."""
    for task_type, number in INSTANCES[::5]:
        task = task_of(0, task_type, number)
        patient = followed(task, task.plan, rate=0.5, tries=60)
        assert (patient.verdict, patient.score) == (Verdict.FULL, 1.0)
        if patient.marks.chance_failures:
            assert patient.marks.recovery == 1.0


def test_lower_success_rates_are_harder_for_who_gives_up():
    shares = []
    for rate in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        marks = [followed(task_of(0, *one), task_of(0, *one).plan, rate=rate) for one in INSTANCES[::2]]
        shares.append(sum(one.verdict is Verdict.FULL for one in marks) / len(marks))
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[-1] < 0.3
