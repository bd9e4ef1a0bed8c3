"""Marks come from goal and true plan: perfection is worth 1, nothing is worth 0, and every slip costs something."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from tool_play import DONE, Played, calling, following, replaying, saying, steps_of

from console.vocabulary.marks import OriginalMarks
from console.vocabulary.names import TASK_TYPES
from console.vocabulary.outcome import Verdict
from console.work.library import task_of
from console.work.registry import TOOLS
from console.work.scoring import GOAL, mark, presets_record
from console.work.sequences import common_length

instances = st.builds(task_of, st.integers(0, 3), st.sampled_from(TASK_TYPES), st.integers(1, 200))


def marked(played):
    return mark(played.session, played.course)


@given(instances, st.sampled_from(["tools", "text"]))
@settings(max_examples=examples(100), deadline=None)
def test_the_true_plan_is_worth_everything_and_nothing_is_worth_nothing(task, protocol):
    perfect = marked(Played(task, following(steps_of(task), protocol), protocol=protocol))
    assert (perfect.verdict, perfect.score) == (Verdict.FULL, pytest.approx(1.0))
    assert perfect.marks.error_class is None
    assert perfect.marks.original.verdict is Verdict.FULL
    assert perfect.marks.needed_calls == perfect.marks.calls == len(task.plan)
    for replies in ([calling(protocol, DONE)], [saying("No.")] * 10):
        idle = marked(Played(task, replaying(replies), protocol=protocol))
        assert (idle.verdict, idle.score, idle.marks.calls) == (Verdict.FAILURE, 0.0, 0)
        assert idle.marks.original == OriginalMarks(
            workflow=0.0, phase2=0.0, quality=0.0, verdict=Verdict.FAILURE
        )


@given(instances, st.floats(0.5, 1.0))
@settings(max_examples=examples(60), deadline=None)
def test_failures_by_chance_that_are_made_good_cost_nothing(task, rate):
    played = Played(task, following(steps_of(task)), rate=rate)
    outcome = marked(played)
    if played.course.finished:
        assert (outcome.verdict, outcome.score) == (Verdict.FULL, pytest.approx(1.0))
        assert outcome.marks.failed_calls == outcome.marks.chance_failures
        assert outcome.marks.recovery == (1.0 if outcome.marks.failed_calls else None)


@given(instances, st.data(), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=examples(100), deadline=None)
def test_shares_stay_within_bounds_for_any_calls(task, data, rate):
    wishes = [
        *steps_of(task),
        ("file_reader", {"path": "no"}),
        ("no_tool", {}),
        ("file_scanner", {"folder": "in"}),
    ]
    replies = data.draw(st.lists(st.lists(st.sampled_from([*wishes, DONE]), max_size=4), max_size=10))
    outcome = marked(Played(task, replaying([calling("tools", *reply) for reply in replies]), rate=rate))
    marks = outcome.marks
    original = marks.original
    shares = [
        outcome.score,
        marks.conditions,
        marks.coverage,
        marks.order,
        marks.efficiency,
        marks.recovery or 0.0,
    ]
    assert all(
        0.0 <= share <= 1.0 for share in [*shares, original.workflow, original.phase2, original.quality]
    )
    assert marks.order <= marks.coverage
    assert marks.chance_failures <= marks.failed_calls <= marks.calls
    assert (outcome.verdict is Verdict.FULL) == (marks.goal_reached and marks.finished)
    assert (marks.error_class is None) == (outcome.verdict is Verdict.FULL)
    assert original.workflow <= 0.92
    assert outcome.verdict is not Verdict.FAILURE or marks.conditions < GOAL.thresholds["partial_conditions"]


TASK = task_of(0, "data_pipeline", 3)
STEPS = steps_of(TASK)


def test_the_goal_without_finish_is_partial_and_half_of_it_too():
    open_end = marked(Played(TASK, replaying([calling("tools", *STEPS)], then=saying("Done."))))
    assert (open_end.verdict, open_end.marks.goal_reached, open_end.marks.finished) == (
        Verdict.PARTIAL,
        True,
        False,
    )
    half = marked(Played(TASK, replaying([calling("tools", *STEPS[:2], DONE)])))
    assert half.marks.conditions == 0.5
    assert half.verdict is Verdict.PARTIAL
    less = marked(Played(TASK, replaying([calling("tools", *STEPS[:1], DONE)])))
    assert less.verdict is Verdict.FAILURE


def test_calls_beyond_need_cost_efficiency_and_failures_of_its_own_too():
    detour = [("file_scanner", {"folder": "in", "ending": ".csv", "output": "x"})] * len(STEPS)
    outcome = marked(Played(TASK, replaying([calling("tools", *detour), calling("tools", *STEPS, DONE)])))
    assert outcome.verdict is Verdict.FULL
    assert outcome.marks.efficiency == 0.5
    assert outcome.score == pytest.approx((0.5 + 0.2 + 0.15 + 0.05) / 0.95)
    slip = ("data_parser", {"source": "nowhere", "format": "csv", "output": "x"})
    outcome = marked(Played(TASK, replaying([calling("tools", slip, *STEPS, DONE)])))
    assert (outcome.marks.recovery, outcome.marks.failed_calls, outcome.marks.chance_failures) == (1.0, 1, 0)


@pytest.mark.parametrize(
    ("wanted", "found", "length"),
    [
        ("abc", "abc", 3),
        ("abc", "ac", 2),
        ("abc", "bac", 2),
        ("abc", "", 0),
        ("aab", "ab", 2),
        ("abcd", "xaxcxd", 3),
    ],
)
def test_common_length(wanted, found, length):
    assert common_length(wanted, found) == common_length(found, wanted) == length


def test_original_formulas_give_what_a_reader_works_out_by_hand():
    """One of four calls missing, one failed: E = 4, A = first three in order, H = 4."""
    assert len(STEPS) == 4
    played = Played(TASK, replaying([calling("tools", *STEPS[:3], ("file_reader", {"path": "x"}), DONE)]))
    assert [call.ok for call in played.session.calls] == [True, True, True, False]
    original = marked(played).marks.original
    workflow = 0.4 * 3 / 4 + 0.3 * 3 / 4 + 0.2 * 3 / 4
    achievement = 0.5 + 0.3 * 1 + 0.2 * 3 / 4
    quality = 0.4 * 0.8 + 0.3 * min(1, 1.2) + 0.2 * workflow
    assert original.workflow == pytest.approx(workflow)
    assert original.quality == pytest.approx(quality)
    assert original.phase2 == pytest.approx(0.5 * achievement + 0.5 * quality)
    assert original.verdict is Verdict.PARTIAL


def test_presets_are_kept_as_plain_data_with_names_weights_and_thresholds():
    record = msgspec.json.decode(msgspec.json.encode(presets_record()))
    assert list(record) == ["goal", "original"]
    assert sum(record["goal"]["weights"].values()) == pytest.approx(1.0)
    assert record["original"]["thresholds"]["full"] == 0.8
    assert all(preset["rule"] for preset in record.values())
    assert len(TOOLS) == 30
