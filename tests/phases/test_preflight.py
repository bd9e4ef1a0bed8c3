"""Preflight finds what the seeds found by hand, from their own profiles, and each cure cures."""

from __future__ import annotations

from statistics import fmean

import pytest

from console.phases.finding import CODES
from console.phases.preflight import preflight
from console.phases.selection import Selection
from console.run import RunRequest, prepare

LOOKED = {}


def looked(phase, profile, **asked):
    """Return what lies ahead; it is the same however often it is asked for, and cures are much alike."""
    key = f"{phase} {profile} {sorted(asked.items())}"
    if key not in LOOKED:
        LOOKED[key] = look(phase, profile, **asked)
    return LOOKED[key]


def look(phase, profile, *, overrides=(), rate_mode=None, latency_s=None, **selection):
    request = RunRequest(
        profile=profile,
        phases=(phase,),
        overrides=tuple(overrides),
        rate_mode=rate_mode,
        selection=Selection(**selection),
    )
    prepared = prepare(request)
    return preflight(prepared.plan, prepared.loaded.profile, latency_s=latency_s)


def turns_of(phase, profile):
    """Requests that a test of a phase is expected to take, which the seeds take for one."""
    return fmean(job.turns for job in prepare(RunRequest(profile=profile, phases=(phase,))).plan.jobs)


def found(phase, profile, **asked):
    return {(one.code, one.where) for one in looked(phase, profile, **asked).findings}


QWEN = "ideallab/open"
K0, K1, K2 = (f"key ideallab/key{number}" for number in range(3))
MOVED = ("key-off-moved", "model qwen2.5-14b-instruct")
AZURE_300 = ("over-concurrency", "azure/open")
SERIAL = ("serial-by-limit", QWEN)


def each(code, *keys):
    return {(code, key) for key in keys}


SEEDS = [
    # Seed 002: key2 is unusable and mapped; qwen is serial; 5.2 shares keys; groups sit on one key; azure has 300.
    ("ultra-0827", "5.1", False, {MOVED, AZURE_300}),
    (
        "ultra-0827",
        "5.1",
        True,
        {MOVED, AZURE_300, SERIAL, *each("shared-key", K0, K1), *each("oversubscribed", K0, K1)},
    ),
    (
        "ultra-0827",
        "5.2",
        False,
        {MOVED, SERIAL, *each("shared-key", K0, K1), *each("oversubscribed", K0, K1)},
    ),
    (
        "ultra-0827",
        "5.2",
        True,
        {MOVED, SERIAL, *each("shared-key", K0, K1), *each("oversubscribed", K0, K1)},
    ),
    (
        "ultra-0827",
        "5.3",
        False,
        {MOVED, AZURE_300, SERIAL, *each("groups-one-key", K0, K1), *each("oversubscribed", K0, K1)},
    ),
    (
        "ultra-0827",
        "5.3",
        True,
        {
            MOVED,
            AZURE_300,
            SERIAL,
            *each("groups-one-key", K0, K1),
            *each("oversubscribed", K0, K1),
            *each("shared-key", K0, K1),
        },
    ),
    # Seed 003: 5.2 has 4, 4 and 2 processes on the keys, 8, 8 and 4 QPS of 10; groups of a model sit on its key.
    ("phase-analysis", "5.1", False, set()),
    ("phase-analysis", "5.1", True, {SERIAL, *each("shared-key", K0, K1)}),
    (
        "phase-analysis",
        "5.2",
        False,
        {SERIAL, *each("shared-key", K0, K1, K2), *each("oversubscribed", K0, K1)},
    ),
    (
        "phase-analysis",
        "5.2",
        True,
        {SERIAL, *each("shared-key", K0, K1, K2), *each("oversubscribed", K0, K1)},
    ),
    ("phase-analysis", "5.3", False, {SERIAL, *each("groups-one-key", K0, K1, K2)}),
    ("phase-analysis", "5.3-phase-analysis", False, {SERIAL, *each("groups-one-key", K0, K1, K2)}),
    (
        "phase-analysis",
        "5.3",
        True,
        {
            SERIAL,
            *each("groups-one-key", K0, K1, K2),
            *each("shared-key", K0, K1),
            *each("oversubscribed", K0, K1),
        },
    ),
    # Plan C on the corrected figures has nothing wrong.
    ("corrected-0824", "5.2-key-pool", False, set()),
    ("corrected-0824", "5.2-key-pool", True, set()),
    ("corrected-0824", "5.1", False, set()),
    ("repaired", "5.2", False, set()),
    ("repaired", "5.3", False, set()),
]


@pytest.mark.parametrize(
    ("profile", "phase", "ultra", "expected"),
    SEEDS,
    ids=[f"{row[0]}-{row[1]}{'-ultra' if row[2] else ''}" for row in SEEDS],
)
def test_what_the_seeds_list_is_found_and_nothing_else(profile, phase, ultra, expected):
    assert found(phase, profile, ultra_parallel=ultra) == expected


def test_the_figures_are_those_that_seed_003_adds_up_by_hand():
    ahead = looked("5.2", "phase-analysis")
    loads = {load.name: load for load in ahead.loads if load.kind == "key"}
    assert [(load.nominal.jobs, load.nominal.per_s, load.limit.per_s) for load in loads.values()] == [
        (4, 8, 10),
        (4, 8, 10),
        (2, 4, 10),
    ]
    assert [load.curve.peak_in_flight for load in loads.values()] == [4, 4, 2]
    assert loads["ideallab/key0"].share == 0.8
    (key0,) = [one for one in ahead.findings if (one.code, one.where) == ("oversubscribed", K0)]
    assert key0.figures == {"jobs": 4, "per_s": 8, "limit": 10}
    turns = turns_of("5.2", "phase-analysis")
    assert ahead.duration_s == pytest.approx(9 * 15 + 100 * turns * 8.4, rel=0.001)


def test_plan_c_has_one_job_on_a_key_at_any_time():
    ahead = looked("5.2-key-pool", "corrected-0824")
    keys = [load for load in ahead.loads if load.kind == "key"]
    assert [(load.nominal.jobs, load.curve.peak_in_flight) for load in keys] == [(1, 2)] * 3
    turns = turns_of("5.2-key-pool", "corrected-0824")
    assert ahead.duration_s == pytest.approx(4 * 50 * turns * 8.4, rel=0.001), (
        "key0 has four jobs of 100 tests on 2 workers each"
    )


ONE_MODEL = {"models": ("qwen2.5-72b-instruct",)}
CASES = [
    ("5.1", "ultra-0827", {"ultra_parallel": True}),
    ("5.2", "ultra-0827", {}),
    ("5.3", "ultra-0827", {}),
    ("5.3", "ultra-0827", {"ultra_parallel": True}),
    ("5.2", "phase-analysis", {}),
    ("5.3", "phase-analysis", {}),
    ("5.3", "phase-analysis", {"ultra_parallel": True}),
    ("5.2", "corrected-0824", {}),
    ("5.3", "corrected-0824", {}),
    (
        "5.2-key-pool",
        "corrected-0824",
        {"overrides": ("limits.ideallab.open.fixed.workers=20",), "latency_s": 2},
    ),
    ("5.1", "phase-analysis", ONE_MODEL),
    ("5.1", "corrected-0824", {**ONE_MODEL, "policy": "key-pool"}),
    ("5.2-key-pool", "phase-analysis", {"overrides": ("limits.ideallab.open.fixed.qps=9",)}),
    (
        "5.2",
        "corrected-0824",
        {
            "overrides": (
                "providers.ideallab.limits.key.workers=3",
                "providers.ideallab.limits.deployment.workers=5",
            )
        },
    ),
    ("5.3", "corrected-0824", {"overrides": ('providers.ideallab.keys_off=["key1", "key2"]',)}),
]


def asked_with(asked, change):
    """Return what is asked for with the change of a cure."""
    flag, value = change[:2]
    more = dict(asked)
    if flag == "--set":
        more["overrides"] = (*asked.get("overrides", ()), value)
    else:
        more[{"--policy": "policy", "--rate-mode": "rate_mode"}[flag]] = value
    return asked_with(more, change[2:]) if change[2:] else more


@pytest.mark.parametrize(
    ("phase", "profile", "asked"), CASES, ids=[f"{a}-{b}-{i}" for i, (a, b, _) in enumerate(CASES)]
)
def test_the_change_that_a_warning_names_cures_it(phase, profile, asked):
    findings = looked(phase, profile, **asked).findings
    assert findings
    for one in findings:
        left = found(phase, profile, **asked_with(asked, one.change))
        assert (one.code, one.where) not in left, f"{one} is not cured"


def test_every_code_that_is_named_is_found_somewhere():
    codes = {one.code for phase, profile, asked in CASES for one in looked(phase, profile, **asked).findings}
    assert codes == set(CODES)


def test_a_key_that_nobody_uses_while_tests_queue_is_idle():
    assert each("idle-key", K1, K2) == found("5.1", "phase-analysis", **ONE_MODEL)
    assert found("5.1", "phase-analysis", **ONE_MODEL, instances=1, task_types=("basic_task",)) == set()
    assert found("5.1", "phase-analysis", models=("o3-0416-global",)) == set(), "it may use key0 only"


def test_a_lease_that_lets_several_share_a_key_is_meant():
    lease = ("providers.ideallab.lease.holders=2",)
    ahead = looked("5.2-key-pool", "corrected-0824", overrides=lease)
    assert ahead.findings == ()
    assert max(load.nominal.jobs for load in ahead.loads if load.kind == "key") == 2


def test_what_answers_take_is_the_users_word_or_known_or_a_guess():
    assert set(looked("5.1", "corrected-0824").latency_s.values()) == {0.6 + 300 * 0.02, 0.9 + 300 * 0.025}
    assert set(looked("5.1", "corrected-0824", latency_s=2).latency_s.values()) == {2}
    prepared = prepare(RunRequest(profile="corrected-0824", phases=("5.2",)))
    lane_id = prepared.plan.lanes[0].lane.id
    ahead = preflight(prepared.plan, prepared.loaded.profile, known_s={lane_id: 3.5})
    assert ahead.latency_s[lane_id] == 3.5
    assert ahead.latency_s[prepared.plan.lanes[1].lane.id] == 8.4
