"""What is reused, from where, and what is said of it: between phases of one run, and from an earlier run."""

from __future__ import annotations

from statistics import fmean

import msgspec
import pytest

from console.phases.build import TestKind, build_plan
from console.phases.load import load_phases
from console.phases.phase import Phase
from console.phases.selection import Selection
from console.profile.load import load_profile
from console.records.earlier import EarlierRun
from console.run import RunRequest, prepare
from console.vocabulary.errors import ConsoleError, Problems
from console.vocabulary.lane import Lane
from console.vocabulary.names import TASK_TYPES
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import TestRow
from console.vocabulary.test_id import TestId
from console.work.expected import expected_turns

KIND = TestKind(library="1", scoring={"default": "goal"})


def planned(*phases, **selection):
    request = RunRequest(phases=phases, selection=Selection(**selection))
    return prepare(request).plan


def counts(plan):
    return {one.phase: (one.jobs, one.new, one.reused) for one in plan.phases}


def test_the_open_models_of_all_phases_are_twelve_thousand_two_hundred_tests():
    plan = planned("5.1-5.5", model_class="open")
    assert counts(plan) == {
        "5.1": (8, 800, {}),
        "5.2": (10, 1000, {}),
        "5.3": (24, 5600, {}),
        "5.4": (40, 3200, {"5.1": 800}),
        "5.5": (24, 1600, {"5.1": 800}),
    }
    assert plan.planned == 12_200
    assert len({test for job in plan.jobs for test in job.tests}) == 12_200
    assert plan.notes == ()


def test_with_the_three_rates_of_the_original_they_are_eleven_thousand_four_hundred():
    plan = planned("5.1-5.3", "5.4-three-rates", "5.5", model_class="open")
    assert counts(plan)["5.4-three-rates"] == (24, 2400, {})
    assert plan.planned == 11_400


def test_the_closed_models_are_in_all_phases_but_the_one_about_qwen():
    plan = planned("5.1-5.3", "5.4-three-rates", "5.5", model_class="closed")
    assert {phase: new for phase, (_, new, _) in counts(plan).items()} == {
        "5.1": 600,
        "5.3": 4200,
        "5.4-three-rates": 1800,
        "5.5": 1200,
    }
    assert plan.planned == 7_800
    assert plan.title == "5.1, 5.3, 5.4-three-rates, 5.5"
    assert plan.notes == ("phase 5.2 is left out: none of the models that it is about is closed",)
    with pytest.raises(ConsoleError, match=r"nothing to do: phase 5\.2 is left out"):
        planned("5.2", model_class="closed")


def test_5_4_and_5_5_run_models_then_rates_or_prompts_in_series():
    for name, axis in (("5.4", "rate"), ("5.5", "group")):
        plan = planned(name, models=("gpt-4o-mini", "kimi-k2"), instances=1)
        steps = [(job.model, getattr(job, axis)) for job in plan.jobs]
        inner = ["0.9", "0.8", "0.7", "0.6", "0.5"] if name == "5.4" else ["baseline", "cot", "optimal"]
        assert steps == [(model, one) for model in ("gpt-4o-mini", "kimi-k2") for one in inner]
        assert all(job.before == tuple(range(at)) for at, job in enumerate(plan.jobs))


def test_tests_of_a_phase_that_comes_later_are_left_to_it():
    plan = planned("5.4", "5.1", models=("kimi-k2",), instances=2)
    assert counts(plan) == {"5.4": (5, 40, {"5.1": 10}), "5.1": (1, 10, {})}


def test_what_would_be_reused_from_a_phase_that_is_not_there_is_told():
    plan = planned("5.4", models=("kimi-k2",))
    assert counts(plan) == {"5.4": (5, 500, {})}
    assert plan.notes == (
        (
            "5.4 would reuse 100 tests of 5.1, which is not in this run: they are played anew; "
            "--reuse RUN takes them from an earlier run"
        ),
    )
    assert planned("5.4", models=("kimi-k2",), tool_success_rates=(0.9,)).notes == ()


def test_a_phase_reuses_others_by_id_and_not_itself():
    assert Phase.model_validate({"id": "x", "reuse": "5.1"}).reuse == ["5.1"]
    assert Phase.model_validate({"id": "x", "reuse": ["5.1", "mine"]}).reuse == ["5.1", "mine"]
    for wrong in ("x", ["5.1", "x"], 5.1, ["a b"]):
        with pytest.raises(ValueError, match="reuse"):
            Phase.model_validate({"id": "x", "reuse": wrong})


def test_a_wrong_reuse_is_located(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('id = "x"\n\nreuse = 5.1\n')
    with pytest.raises(Problems) as caught:
        load_phases((str(path),))
    assert caught.value.lines()[0].startswith(f"{path}:3: reuse: 5.1 is not the id of a phase")


def row(test, *, provider="ideallab", verdict=Verdict.FULL, **more):
    lane = Lane(provider, test.split("/")[0], "d", "key0")
    return TestRow(test=test, job="5.1/x", lane=lane, verdict=verdict, at_ns=77, duration_ns=5, **more)


def earlier(tests=(), **changes):
    fields = {
        "run_id": "r1",
        "seed": 0,
        "library": "1",
        "protocols": {},
        "max_tokens": {},
        "scoring": {"default": "goal"},
        "simulated": frozenset({"ideallab"}),
        "rows": {test: row(test) for test in tests},
    }
    return EarlierRun(**{**fields, **changes})


def built(run, *, phases=("5.1",), overrides=(), models=("kimi-k2",), instances=2):
    loaded = load_profile("sim", overrides)
    return build_plan(
        loaded.profile,
        load_phases(phases),
        Selection(models=models, instances=instances),
        rate_mode="fixed",
        seed=0,
        kind=KIND,
        earlier=run,
    )


ALL = built(None).plan.jobs[0].tests


def test_results_of_an_earlier_run_stand_for_the_same_tests_of_any_phase():
    result = built(earlier(ALL[:7]))
    assert counts(result.plan) == {"5.1": (1, 3, {"run r1": 7})}
    assert result.plan.jobs[0].tests == ALL[7:]
    assert [one.test for one in result.taken] == list(ALL[:7])
    assert {(one.reused_from, one.at_ns, one.duration_ns) for one in result.taken} == {("r1", 0, 5)}
    assert result.plan.notes == ("7 tests of run r1: their results are taken over",)


def test_a_result_is_taken_once_for_all_phases_that_ask_for_it():
    result = built(earlier(ALL), phases=("5.1", "5.4"))
    assert counts(result.plan) == {"5.1": (1, 0, {"run r1": 10}), "5.4": (5, 40, {"run r1": 10})}
    assert len(result.taken) == 10


def test_a_result_that_was_taken_over_itself_keeps_the_run_that_it_is_of():
    run = earlier(
        rows={ALL[0]: row(ALL[0], provider="elsewhere", reused_from="r0")},
        simulated_homes=frozenset({"kimi-k2"}),
    )
    assert [one.reused_from for one in built(run).taken] == ["r0"]
    real = msgspec.structs.replace(run, simulated_homes=frozenset())
    assert built(real).taken == (), "it was real there, and would pass as simulated here"


DIFFERENCES = [
    ({"seed": 3}, (), "its seed is 3, and this run's 0"),
    (
        {"library": ""},
        (),
        "its tasks are of an older version of the library, and this run's of version 1",
    ),
    ({"scoring": {"default": "original"}}, (), "it was scored by other presets"),
    (
        {"protocols": {"kimi-k2": "text"}},
        (),
        "kimi-k2 spoke the protocol 'text', and speaks 'tools' here",
    ),
    (
        {},
        ("providers.ideallab.protocol=text",),
        "kimi-k2 spoke the protocol 'tools', and speaks 'text' here",
    ),
    ({"max_tokens": {"kimi-k2": 9}}, (), "kimi-k2 had another max_tokens for its replies"),
    ({"simulated": frozenset()}, (), "kimi-k2 is simulated here, and was not there"),
    (
        {},
        ("providers.ideallab.api=openai", "providers.ideallab.base_url=http://127.0.0.1:1/v1",
         'providers.ideallab.keys={key0="env:A",key1="env:B",key2="env:C"}'),
        "kimi-k2 is not simulated here, and was there",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "overrides", "reason"), DIFFERENCES, ids=[row[2] for row in DIFFERENCES])
def test_a_result_that_something_else_decided_is_refused_and_why_is_told(changes, overrides, reason):
    result = built(earlier(ALL[:4], **changes), overrides=overrides)
    assert counts(result.plan) == {"5.1": (1, 10, {})}
    assert result.taken == ()
    assert result.plan.notes == (f"4 tests of run r1 are played anew: {reason}",)


def test_a_protocol_of_another_model_is_no_reason():
    assert len(built(earlier(ALL, protocols={"gpt-4o-mini": "text"})).taken) == 10


def test_a_run_that_has_nothing_of_the_selection_says_so():
    assert built(earlier()).plan.notes == (
        "run r1 has no finished test of this selection: all are played anew",
    )


def test_a_plan_bears_what_decides_its_results():
    plan = built(None, overrides=('models.kimi-k2.protocol="text"',)).plan
    assert (plan.library, plan.scoring, plan.protocols) == ("1", {"default": "goal"}, {"kimi-k2": "text"})
    assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)) == plan


def test_a_job_says_how_many_requests_its_tests_are_expected_to_take():
    kind = TestKind(requests_of=expected_turns)
    loaded = load_profile("sim")
    asked = Selection(models=("kimi-k2",), instances=2)
    plan = build_plan(
        loaded.profile, load_phases(("5.1", "5.4")), asked, rate_mode="fixed", seed=0, kind=kind
    ).plan
    turns = {job.rate: job.turns for job in plan.jobs if job.tests}
    assert turns == {
        rate: pytest.approx(
            fmean(expected_turns(TestId("m", "optimal", "easy", rate, name, 1)) for name in TASK_TYPES),
            abs=1e-3,
        )
        for rate in ("0.8", "0.9", "0.7", "0.6", "0.5")
    }
    assert plan.requests == pytest.approx(10 * sum(turns.values()))
