"""What each policy makes of a phase: keys, order, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from console.phases.batches import arrange_batches, assign_keys
from console.phases.matrix import Cell
from console.phases.plan import Plan
from console.phases.selection import Selection
from console.run import RunRequest, prepare
from console.vocabulary.lane import LeaseRule

QWEN = [f"qwen2.5-{size}-instruct" for size in ("72b", "32b", "14b", "7b", "3b")]


def planned(phase, profile="corrected-0824", *, overrides=(), **selection):
    request = RunRequest(
        profile=profile, phases=(phase,), overrides=overrides, selection=Selection(**selection)
    )
    return prepare(request).plan


def keys(plan):
    """Return size, difficulty and keys of every job, in order."""
    return [
        (job.model.split("-")[1], job.difficulty, "".join(sorted(shard.lane_id[-1] for shard in job.shards)))
        for job in plan.jobs
    ]


def test_as_is_leaves_keys_to_the_profile_and_has_four_jobs_on_key0():
    plan = planned("5.2", "phase-analysis")
    used = [key for _, _, key in keys(plan)]
    assert [used.count(key) for key in "012"] == [4, 4, 2]
    assert all(job.before == () for job in plan.jobs)
    assert {job.stagger_s for job in plan.jobs} == {15}
    assert [key for _, _, key in keys(planned("5.2"))] == ["012"] * 10


def test_plan_a_has_every_job_after_the_one_before():
    plan = planned("5.2-serial")
    assert [job.before for job in plan.jobs] == [tuple(range(index)) for index in range(10)]


def test_plan_b_has_batches_of_three_models_each_on_its_own_key():
    plan = planned("5.2-batches")
    assert keys(plan) == [
        (size, difficulty, key)
        for difficulty in ("very_easy", "medium")
        for size, key in (("72b", "0"), ("32b", "1"), ("14b", "2"), ("7b", "0"), ("3b", "1"))
    ]
    waits = [(), (), (), (0, 1, 2), (0, 1, 2), *[tuple(range(5))] * 3, *[tuple(range(8))] * 2]
    assert [job.before for job in plan.jobs] == waits
    assert plan.warnings == ()


@pytest.mark.parametrize(("size", "batches"), [(1, 10), (2, 6), (3, 4), (5, 4)])
def test_batches_may_be_of_any_size_and_never_have_two_models_on_a_key(size, batches):
    plan = planned("5.2", policy=f"batches-of-{size}")
    by_batch = {}
    for job, (_, _, key) in zip(plan.jobs, keys(plan), strict=True):
        by_batch.setdefault(job.before, []).append(key)
    assert len(by_batch) == batches
    assert all(len(set(used)) == len(used) <= size for used in by_batch.values())
    warned = [text for text in plan.warnings if text.startswith("batches-of-5")]
    assert warned == (
        ["batches-of-5: keys allow no fewer than 4 batches, in place of 2: 2 of 5 models have ideallab/key0"]
        if size == 5
        else []
    )


def test_a_later_model_may_come_first_where_its_key_is_free():
    plan = planned("5.2-batches", "ultra-0827")  # key2 is off, 14b moves to key0
    assert [size for size, _, _ in keys(plan)[:5]] == ["72b", "32b", "14b", "3b", "7b"]
    assert [key for _, _, key in keys(plan)[:5]] == ["0", "1", "0", "1", "0"]
    assert plan.warnings == (
        "qwen2.5-14b-instruct: its key key2 is off; key0 is used, as it has the fewest models",
        "batches-of-3: keys allow no fewer than 6 batches, in place of 4: 3 of 5 models have ideallab/key0",
    )


def test_models_without_a_key_of_their_own_get_the_least_loaded_one_and_keyless_ones_none():
    scopes = {"a": ("p/x", "p/y"), "b": ("p/x", "p/y"), "c": ("p/x", "p/y")}
    assert assign_keys(["a", "b", "c", "d"], scopes, {"b": "x"}) == {"a": "y", "b": "x", "c": "x", "d": None}
    cells = [
        Cell(model=m, provider="p", difficulty="easy", group="g", prompt_types=("cot",), rate="0.8")
        for m in "defg"
    ]
    assert [job.batch for job in arrange_batches(cells, 3, {}, {}).jobs] == [0, 0, 0, 1]


def test_plan_c_leases_one_key_of_all_the_models_own_first():
    plan = planned("5.2-key-pool")
    assert [job.lease for job in plan.jobs[:3]] == [
        ("ideallab/key0", "ideallab/key1", "ideallab/key2"),
        ("ideallab/key1", "ideallab/key2", "ideallab/key0"),
        ("ideallab/key2", "ideallab/key0", "ideallab/key1"),
    ]
    assert plan.leases == {f"ideallab/key{key}": LeaseRule("job", 1) for key in range(3)}
    assert [key for _, _, key in keys(plan)] == ["012"] * 10
    assert all(
        shard.tests is None for job in planned("5.2-key-pool", "summary-0819").jobs for shard in job.shards
    )


def test_who_may_hold_a_key_is_the_providers_to_say():
    plan = planned("5.2-key-pool", overrides=('providers.ideallab.lease={ to = "model", holders = 2 }',))
    assert set(plan.leases.values()) == {LeaseRule("model", 2)}


def test_a_profile_that_splits_by_lease_does_so_in_any_phase():
    plan = planned("5.3", "repaired")
    assert {job.lease is not None for job in plan.jobs if job.provider == "ideallab"} == {True}
    assert {job.lease for job in plan.jobs if job.provider == "azure"} == {None}


def test_a_model_without_keys_leases_none():
    plan = planned("5.1", "sim", overrides=("providers.azure.keys=",), policy="key-pool")
    assert {job.lease for job in plan.jobs if job.provider == "azure"} == {None}


def test_groups_spread_over_keys_from_the_models_own_on_and_share_none_at_once():
    plan = planned("5.3-spread")
    jobs = [job for job in plan.jobs if job.model == QWEN[1]]
    assert [shard.lane_id[-4:] for job in jobs for shard in job.shards] == ["key1", "key2", "key0"]
    first = plan.jobs.index(jobs[0])
    assert [set(job.before) == set(range(first)) for job in jobs] == [True] * 3
    azure = plan.jobs[:3]
    assert [job.before for job in azure] == [(), (0,), (0, 1)], "one key, so in series"
    two = [job for job in planned("5.3-spread", "ultra-0827").jobs if job.model == QWEN[0]]
    assert [shard.lane_id[-4:] for job in two for shard in job.shards] == ["key0", "key1", "key0"]
    assert len(two[2].before) == len(two[0].before) + 1


def test_one_group_is_not_spread():
    assert [key for _, _, key in keys(planned("5.2", policy="groups-spread"))] == ["012"] * 10


def test_5_3_has_seven_flaws_in_three_groups_at_once_at_ideallab_only():
    plan = planned("5.3")
    assert plan.planned == 5600
    assert len(plan.jobs) == 24
    qwen = [index for index, job in enumerate(plan.jobs) if job.model == QWEN[0]]
    assert [len(plan.jobs[index].before) for index in qwen] == [6, 6, 6]
    assert [job.before for job in plan.jobs[:3]] == [(), (0,), (0, 1)]
    serial = planned("5.3-serial")
    assert [job.before for job in serial.jobs] == [tuple(range(index)) for index in range(24)]
    analysis = planned("5.3-phase-analysis")
    assert [job.before for job in analysis.jobs[:4]] == [(), (), (), (0, 1, 2)]
    assert [len(job.prompt_types) for job in analysis.jobs[:3]] == [2, 3, 2]
    assert analysis.planned == 5600


def test_all_main_phases_come_to_the_counts_of_the_mission():
    plan = prepare(RunRequest(profile="corrected-0824", phases=("5.1-5.3",))).plan
    assert plan.planned == 800 + 1000 + 5600


def test_ultra_parallel_lets_no_job_of_a_phase_wait_for_another():
    assert {job.before for job in planned("5.3", ultra_parallel=True).jobs} == {()}
    spread = planned("5.3-spread", ultra_parallel=True).jobs
    assert {len(job.before) for job in spread if job.provider == "ideallab"} == {0}


def test_a_plan_is_read_back_as_it_was_and_one_without_leases_too():
    plan = planned("5.2-key-pool")
    text = msgspec.json.encode(plan)
    assert msgspec.json.decode(text, type=Plan) == plan
    old = msgspec.json.decode(text)
    del old["leases"], old["max_tokens"]
    for job in old["jobs"]:
        del job["lease"]
    read = msgspec.convert(old, Plan)
    assert (read.leases, read.jobs[0].lease, read.jobs[0].id) == ({}, None, plan.jobs[0].id)
