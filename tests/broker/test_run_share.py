"""What two runs share of one profile's limits: slots, rates and keys, also where files are spoilt, lost or given up."""

from __future__ import annotations

import shutil

import pytest

from console.broker.place import VARIABLE
from console.broker.run_share import RunShare
from console.broker.shared_file import PAYLOAD
from console.broker.unusable import ShareError
from console.engine.arbiter import Arbiter
from console.vocabulary.chat import Endpoint
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits
from console.vocabulary.secret import Secret

S = 1_000_000_000
LANE = Lane("p", "m", "d", "k")


def setup(own=None, *, key=None, accounting="estimate"):
    return LaneSetup(
        lane=LANE,
        model_class="open",
        limits=Limits(workers=5, **(own or {})),
        outer=(ScopedLimits(Scope("key", "p/k"), Limits(**key)),) if key else (),
        tpm_accounting=accounting,
    )


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "share"))
    made = []
    endpoint = Endpoint(api="openai", base_url="http://x", deployment="d", secret=Secret("s", "test"))

    def make(lane):
        now = [1000 * S]
        run = RunShare([lane], {LANE.id: endpoint}, run_id=f"r{len(made)}", now_ns=lambda: now[0])
        run.now = now
        made.append(run)
        return run, run.beyond(LANE.id)

    make.folder = tmp_path / "share"
    yield make
    for run in made:
        run.close()


def passes(run, beyond, at_s=0.0, tokens=0.0):
    run.now[0] = 1000 * S + int(at_s * S)
    return beyond.try_pass(run.now[0], tokens) == 0


def test_slots_of_a_key_are_those_of_all_runs_each_with_its_own_limit(make_run):
    (one, to_one), (other, to_other) = (
        make_run(setup(key={"workers": 3})),
        make_run(setup(key={"workers": 2})),
    )
    assert passes(one, to_one)
    assert passes(one, to_one)
    assert not passes(other, to_other)
    to_one.leave(one.now[0], 0.0, None)
    assert passes(other, to_other)
    assert not passes(other, to_other, 0.05)
    assert not passes(one, to_one, 0.1)  # the other one has less, and waits


def test_a_run_that_shares_no_more_gives_its_slots_back(make_run):
    (one, to_one), (other, to_other) = (
        make_run(setup(key={"workers": 2})),
        make_run(setup(key={"workers": 2})),
    )
    assert passes(one, to_one)
    assert passes(one, to_one)
    one.fail(ShareError("broken", where="somewhere"))
    to_one.leave(one.now[0], 0.0, None)
    to_one.leave(one.now[0], 0.0, None)
    assert passes(other, to_other, 1)
    assert passes(other, to_other, 1)
    assert passes(one, to_one, 1)  # alone, it has no limit but its own


def test_slots_hold_also_when_the_folder_was_taken_away_in_mid_run(make_run):
    (one, to_one) = make_run(setup(key={"workers": 2}))
    assert passes(one, to_one)
    assert passes(one, to_one)
    shutil.rmtree(make_run.folder)
    assert not passes(one, to_one, 2)  # it notices, and says again what it holds
    (other, to_other) = make_run(setup(key={"workers": 2}))
    for at in range(20):
        assert not passes(other, to_other, 3 + at / 4)
    to_one.leave(one.now[0], 0.0, None)
    assert passes(other, to_other, 9)


def test_a_spoilt_rate_is_not_waited_for(make_run):
    run, beyond = make_run(setup({"qps": 10}))
    assert passes(run, beyond)
    (pacer,) = run._pacers.values()
    pacer.file.words[PAYLOAD] = run.now[0] + 365 * 86_400 * S
    again_ns = beyond.try_pass(run.now[0] + S, 0.0)
    assert 0 < again_ns <= run.now[0] + 2 * S
    assert passes(run, beyond, 2.2)


@pytest.mark.parametrize("claimed", [10**15, -(10**15)])
def test_absurd_usage_neither_blocks_all_runs_nor_lifts_the_limit(make_run, claimed):
    run, beyond = make_run(setup({"tpm": 60_000}, accounting="actual"))
    passage = Arbiter(lambda: run.now[0]).passage([], beyond)
    assert passage.enter_at_once(1000.0, run.now[0])
    passage.leave(1000.0, claimed)
    if claimed > 0:
        assert passes(run, beyond, 2100, 1000.0)  # two million tokens at most
    else:
        passed = sum(passes(run, beyond, at / 100, 1000.0) for at in range(100))
        assert passed <= 3


def test_a_key_is_one_runs_at_a_time_and_goes_on_when_it_is_given_back(make_run):
    (one, to_one), (other, _) = make_run(setup()), make_run(setup())
    now = one.now[0]
    assert one.ask("p/k", now)
    assert not other.ask("p/k", now)
    assert other.holder("p/k", now) == "p/k is in use by run r0"
    assert passes(one, to_one)
    one.give_back("p/k", now)
    assert other.ask("p/k", now + S)


KEY = Scope("key", "p/k")


def test_a_limit_that_is_raised_here_is_claimed_and_a_lower_one_is_this_runs_own_affair(make_run):
    (one, to_one), (other, to_other) = (
        make_run(setup(key={"workers": 2})),
        make_run(setup(key={"workers": 2})),
    )
    one.claim(KEY, workers=4, qps=None)
    assert [passes(one, to_one) for _ in range(5)] == [True] * 4 + [False]
    assert not passes(other, to_other)  # which keeps to its own
    for _ in range(4):
        to_one.leave(one.now[0], 0.0, None)
    one.claim(KEY, workers=1, qps=None)
    assert [passes(one, to_one, 1) for _ in range(3)] == [True, True, False]


def test_a_rate_that_is_raised_here_costs_less_and_a_lower_one_costs_the_others_nothing(make_run):
    (one, to_one), (other, to_other) = make_run(setup(key={"qps": 10})), make_run(setup(key={"qps": 10}))
    one.claim(KEY, workers=None, qps=2)
    assert passes(one, to_one, 1)
    assert not passes(other, to_other, 1.09)
    assert passes(other, to_other, 1.1)  # not only after the half second of a lower rate
    one.claim(KEY, workers=None, qps=100)
    assert passes(one, to_one, 2)
    assert passes(one, to_one, 2.02)


def test_what_is_shared_is_known_by_its_scope(make_run):
    run, _ = make_run(setup({"qps": 3}, key={"workers": 2}))
    assert run.shares(KEY)
    assert run.shares(Scope("lane", LANE.id))
    assert not run.shares(Scope("provider", "p"))
    run.claim(Scope("provider", "p"), workers=5, qps=5)  # which nobody else knows of
    run.fail(ShareError("broken", where="somewhere"))
    assert not run.shares(KEY)
    run.claim(KEY, workers=5, qps=5)
