"""Limits are changed by hand while a run goes on: in force at once, nobody preempted, recorded, or refused in words."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import anyio
import msgspec
import pytest
from engine_rig import Rig, ids, job, lane

from console.vocabulary.chat import ChatRequest
from console.vocabulary.command import Accepted, Change, Drain, Pause, Refused, Resume, Stop, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import EventRow, LimitRow
from console.work.contract import TestResult

A = Scope("lane", "p/a@key0")
KEY = Scope("key", "p/key0")


def put(*scopes, workers=None, qps=None):
    """Return a command that sets figures; a tuple is an operation and its figure, `none` is unlimited."""

    def change(value):
        if value is None or isinstance(value, Change):
            return value
        if isinstance(value, tuple):
            return Change(*value)
        return Change("=", None if value == "none" else value)

    return Tune(scopes=scopes, workers=change(workers), qps=change(qps))


def full(rig):
    return Counter(row.test for row in rig.journal.tests if row.verdict is Verdict.FULL)


def events(rig):
    return [
        (row.level, row.subject, row.text)
        for row in rig.journal.of(EventRow)
        if row.kind in ("tune", "adapt")
    ]


def at(*steps):
    """Return what gives commands at times, and what was said, filled as they are given."""
    said = []

    async def operate(engine):
        begin = anyio.current_time()
        for at_s, command in steps:
            await anyio.sleep(begin + at_s - anyio.current_time())
            said.append(command(engine) if callable(command) else engine.steering.obey(command))

    return operate, said


def flying(rig, at_s, name="p/a@key0"):
    """Count the requests of a lane that were in flight at a time, by the journal."""
    rows = [row for row in rig.journal.requests if row.lane.id == name]
    return sum(row.at_ns <= at_s * 1e9 < row.at_ns + row.total_ns for row in rows)


class Turns:
    """A test of many turns."""

    def __init__(self, count):
        self.count = count

    async def run(self, test, ask, said):
        for _ in range(self.count):
            await ask(ChatRequest(messages=({"role": "user", "content": "on"},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0)


def test_a_lane_raised_from_2_to_20_workers_has_20_requests_in_flight_at_once():
    lanes = [lane("a", workers=2)]
    operate, said = at((3.5, put(A, workers=20)))
    rig = Rig([job(ids(200), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert said == [Accepted("p/a@key0: workers 2 → 20")]
    assert (flying(rig, 3.4), flying(rig, 3.6), flying(rig, 8.6)) == (2, 20, 20)
    assert full(rig) == Counter(ids(200))
    assert events(rig) == [("note", "p/a@key0", "workers 2 → 20, by hand")]
    (view,) = rig.last.lanes
    assert (view.workers, view.profile_workers) == (20, 2)
    assert rig.last.events[-2].text == "workers 2 → 20, by hand"


@pytest.mark.parametrize("turns", [1, 30])
def test_a_lowered_lane_preempts_nobody_and_is_down_within_one_answer(turns):
    lanes = [lane("a", workers=20)]
    operate, said = at((3.5, put(A, workers=4)))
    tests = ids(200 // turns + 20)
    rig = Rig([job(tests, lanes)], lanes, work=Turns(turns))
    assert rig.run(operate) == "finished"
    assert said == [Accepted("p/a@key0: workers 20 → 4")]
    assert (flying(rig, 3.4), flying(rig, 3.9), flying(rig, 4.1)) == (20, 20, 4)
    assert max(flying(rig, 4.1 + second) for second in range(20)) == 4
    assert full(rig) == Counter(tests)
    assert len(rig.journal.tests) == len(tests)


def test_raising_again_lets_those_who_wait_in_at_once():
    lanes = [lane("a", workers=10)]
    operate, said = at(
        (2.5, put(A, workers=1)), (10.5, put(A, workers=("+", 5))), (20.5, put(A, workers=("-", 99)))
    )
    rig = Rig([job(ids(120), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert [one.text for one in said] == [
        "p/a@key0: workers 10 → 1",
        "p/a@key0: workers 1 → 6",
        "p/a@key0: workers 6 → 1",
    ]
    assert [flying(rig, at_s) for at_s in (2.4, 9.9, 10.6, 20.4, 22.1)] == [10, 1, 6, 6, 1]
    assert full(rig) == Counter(ids(120))


def test_every_job_has_its_copy_of_the_new_figure_also_one_that_begins_later():
    lanes = [lane("a", workers=3, per="job", qps=50.0)]
    jobs = [
        job(ids(100), lanes, name="one"),
        job(ids(40, "n"), lanes, name="two"),
        job(ids(20, "o"), lanes, name="three", before=[1]),
    ]
    operate, said = at((2.5, put(A, workers=6, qps=("+", 10))))
    rig = Rig(jobs, lanes)
    assert rig.run(operate) == "finished"
    assert said == [Accepted("p/a@key0: workers 3 → 6, qps 50 → 60 for each job")]
    assert (flying(rig, 2.4), flying(rig, 5.5)) == (6, 12)
    assert len(full(rig)) == 160
    by_job = {
        name: max(
            sum(row.at_ns <= edge < row.at_ns + row.total_ns for row in rows)
            for edge in {row.at_ns for row in rows}
        )
        for name in "mno"
        if (rows := [row for row in rig.journal.requests if row.test.startswith(name)])
    }
    assert by_job == {"m": 6, "n": 6, "o": 6}


def test_a_rate_is_kept_from_its_change_on_and_none_lifts_it():
    lanes = [lane("a", workers=30)]
    operate, said = at((5.5, put(A, qps=2)), (15.5, put(A, qps=("+", 2.5))), (25.5, put(A, qps="none")))
    rig = Rig([job(ids(500), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert [one.text for one in said] == [
        "p/a@key0: qps none → 2",
        "p/a@key0: qps 2 → 4.5",
        "p/a@key0: qps 4.5 → none",
    ]
    sent = sorted(row.at_ns / 1e9 for row in rig.journal.requests)
    slow = [at_s for at_s in sent if 5.5 < at_s < 15.5]
    quick = [at_s for at_s in sent if 15.5 < at_s < 25.5]
    assert min(later - sooner for sooner, later in pairwise(slow)) >= 0.5 - 1e-6
    assert 19 <= len(slow) <= 20
    assert 44 <= len(quick) <= 45
    assert sum(25.5 <= at_s < 26.5 for at_s in sent) > 20
    assert full(rig) == Counter(ids(500))


def test_a_gate_is_made_where_none_is_and_what_is_in_flight_counts_there():
    lanes = [lane("a", workers=5), lane("b", workers=5), lane("c", workers=5, key="key1")]
    operate, said = at(
        (2.5, put(KEY, workers=3)),
        (2.5, lambda engine: engine.look()),
        (10.5, put(KEY, workers=8, qps=4)),
        (20.5, put(KEY, workers=("reset",), qps=("reset",))),
    )
    rig = Rig([job(ids(300), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert said[0] == Accepted("key p/key0: workers none → 3")
    assert said[1].in_flight == 15
    assert said[2:] == [
        Accepted("key p/key0: workers 3 → 8, qps none → 4"),
        Accepted("key p/key0: workers 8 → none, qps 4 → none"),
    ]

    def of_key(at_s):
        return flying(rig, at_s) + flying(rig, at_s, "p/b@key0")

    assert [of_key(at_s) for at_s in (2.4, 2.9, 3.1, 9.9)] == [10, 10, 3, 3]
    assert max(of_key(10.6 + step / 7) for step in range(60)) <= 8
    assert of_key(21.1) == 10
    assert flying(rig, 9.9, "p/c@key1") == 5
    assert full(rig) == Counter(ids(300))
    sent = [row.at_ns / 1e9 for row in rig.journal.requests if row.lane.key == "key0"]
    assert len([at_s for at_s in sent if 10.6 < at_s < 20.4]) <= 40


def test_limits_of_the_profile_on_a_scope_are_changed_in_their_gate():
    lanes = [lane("a", workers=9, outer=[("model", "m", {"workers": 4, "rpm": 600.0})])]
    model = Scope("model", "m")
    seen = []

    async def look(engine):
        await anyio.sleep(6)
        seen.append(await engine.inspect("p/a@key0"))

    operate, said = at((3.5, put(model, workers=2)), (8.5, put(model, workers="none")))
    rig = Rig([job(ids(100), lanes)], lanes)
    assert rig.run(operate, look) == "finished"
    assert [one.text for one in said] == ["model m: workers 4 → 2", "model m: workers 2 → none"]
    own, of_model = seen[0].gates
    assert (of_model.most, of_model.profile_most, of_model.rpm, of_model.changed) == (2, 4, 600, True)
    assert not own.changed
    (change,) = seen[0].changes
    assert (change.at_s, change.what, change.old, change.new) == (3.5, "workers", 4, 2)
    assert change.why == "by hand, model m"
    assert (flying(rig, 3.4), flying(rig, 5.1)) == (4, 2)
    assert 8 <= flying(rig, 11) <= 9
    assert full(rig) == Counter(ids(100))


def test_several_scopes_are_one_decision_and_one_event():
    lanes = [
        lane(name, workers=workers) for name, workers in (("a", 2), ("b", 2), ("c", 4), ("d", 8), ("e", 2))
    ]
    scopes = [Scope("lane", one.lane.id) for one in lanes]
    operate, said = at((1.5, put(*scopes, workers=4)), (2.5, put(*scopes, workers=("reset",))))
    rig = Rig([job(ids(100), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert [one.text for one in said] == [
        "p/a@key0: workers 2 → 4; p/b@key0: workers 2 → 4; p/d@key0: workers 8 → 4 and 1 more",
        "p/a@key0: workers 4 → 2; p/b@key0: workers 4 → 2; p/d@key0: workers 4 → 8 and 1 more",
    ]
    assert [event[1:] for event in events(rig)] == [
        ("", "by hand: workers 2 → 4 on p/a@key0, p/b@key0, p/e@key0; workers 8 → 4 on p/d@key0"),
        ("", "by hand: workers 4 → 2 on p/a@key0, p/b@key0, p/e@key0; workers 4 → 8 on p/d@key0"),
    ]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (put(Scope("lane", "p/b@key0"), workers=3), "no lane p/b@key0 in this run: did you mean p/a@key0?"),
        (put(A, Scope("key", "p/kye0"), workers=3), "no key p/kye0 in this run: did you mean p/key0?"),
        (put(Scope("provider", "zzz"), workers=3), "no provider zzz in this run; it has p"),
        (put(Scope("model", "\x1b[2Jm"), workers=3), "no model"),
        (put(A, workers="none"), "p/a@key0: a lane is never without workers"),
        (put(A, workers=0), "workers: 0 is not a whole number from 1 to 100000"),
        (put(A, workers=-3), "workers: -3 is not"),
        (put(A, workers=2.5), "workers: 2.5 is not"),
        (put(A, workers=1e30), "workers: 1e+30 is not"),
        (put(A, workers=("+", None)), "workers: none is not"),
        (put(A, workers=("+", 100_000)), "p/a@key0: 100002 workers are more than 100000"),
        (put(A, qps=0), "qps: 0 is not a number from 0.001 to 100000"),
        (put(A, qps=-1), "qps: -1 is not"),
        (put(A, qps=1e300), "qps: 1e+300 is not"),
        (put(A, qps=("-", 1)), "p/a@key0 has no limit on qps to move: set one with ="),
        (put(KEY, workers=("+", 1)), "key p/key0 has no limit on workers to move"),
        (put(A, workers=2), "nothing changes: p/a@key0 has workers 2"),
        (put(A, workers=("reset",), qps=("reset",)), "nothing changes: p/a@key0 has workers 2, qps none"),
        (put(A), "nothing to change"),
        (put(workers=3), "nothing to change"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_words_and_changes_nothing(command, text):
    lanes = [lane("a", workers=2)]
    operate, said = at((1.5, command))
    rig = Rig([job(ids(9), lanes)], lanes)
    assert rig.run(operate) == "finished"
    (refused,) = said
    assert isinstance(refused, Refused)
    assert text in refused.text
    assert "\x1b" not in refused.text
    assert not events(rig)
    assert rig.last.lanes[0].workers == 2
    assert rig.client.peak == {"p/a@key0": 2}


def test_one_scope_that_cannot_have_it_refuses_all():
    lanes = [lane("a", workers=2), lane("b", workers=None)]
    b = Scope("lane", "p/b@key0")
    operate, said = at((1.5, put(A, b, workers=("+", 1))))
    rig = Rig([job(ids(30), lanes[:1])], lanes)
    rig.run(operate)
    assert said == [Refused("p/b@key0 has no limit on workers to move: set one with =")]
    assert rig.last.lanes[0].workers == 2


def test_a_rate_is_stepped_down_to_a_small_one_and_not_to_nothing():
    lanes = [lane("a", workers=2, qps=1.0)]
    operate, said = at(
        (1.5, put(A, qps=("-", 5))), (2.5, put(A, qps=("-", 5))), (3.5, put(A, qps=("reset",)))
    )
    Rig([job(ids(9), lanes)], lanes).run(operate)
    assert said == [
        Accepted("p/a@key0: qps 1 → 0.1"),
        Refused("nothing changes: p/a@key0 has qps 0.1"),
        Accepted("p/a@key0: qps 0.1 → 1"),
    ]


def test_a_run_that_stops_changes_nothing_and_one_that_drains_or_is_paused_does():
    lanes = [lane("a", workers=2)]
    operate, said = at(
        (1.4, Pause()),
        (1.5, put(A, workers=4)),
        (1.6, Resume()),
        (2.5, Drain()),
        (2.6, put(A, workers=1)),
        (2.7, Stop()),
        (2.7, put(A, workers=3)),
    )
    rig = Rig([job(ids(50), lanes)], lanes)
    assert rig.run(operate) == "interrupted"
    assert [type(one) for one in said] == [Accepted] * 6 + [Refused]
    assert said[-1].text == "it ends already"
    assert rig.client.peak == {"p/a@key0": 4}


def test_the_figures_of_an_adaptive_lane_are_the_ceiling_of_what_is_found():
    lanes = [msgspec.structs.replace(lane("a", workers=100, qps=40.0), adaptive=True)]
    seen = []

    async def look(engine):
        for at_s in (30, 31, 90):
            await anyio.sleep(at_s - anyio.current_time() % 1000)
            seen.append(engine.look().lanes[0])
            if at_s == 30:
                said = engine.steering.obey(put(A, workers=6, qps=3))
                assert said == Accepted("p/a@key0: workers 100 → 6, qps 40 → 3")
            if at_s == 31:
                engine.steering.obey(put(A, workers=30, qps=("reset",)))
        engine.steering.obey(Stop())

    rig = Rig([job(ids(9000), lanes)], lanes)
    rig.run(look)
    before, low, later = seen
    assert before.qps > 15
    assert (low.qps, low.window, low.workers) == (3, 6, 6)
    assert low.adaptive
    assert low.in_flight <= 6
    assert 15 < later.qps <= 40
    assert 10 < later.window <= 30
    assert any(row.reason == "limits set by hand" for row in rig.journal.of(LimitRow))


def test_dealt_tests_of_a_lowered_lane_are_all_played():
    lanes = [lane("a", workers=5), lane("b", workers=1)]
    operate, said = at((1.5, put(A, workers=1)), (30.5, put(A, workers=9)))
    rig = Rig([job(ids(100), lanes, dealt=True)], lanes)
    assert rig.run(operate) == "finished"
    assert [isinstance(one, Accepted) for one in said] == [True, True]
    assert full(rig) == Counter(ids(100))


def test_the_forecast_follows():
    lanes = [lane("a", workers=4)]
    operate, said = at(
        (6.5, lambda engine: engine.look().eta_s),
        (6.5, put(A, workers=1)),
        (6.5, lambda engine: engine.look().eta_s),
        (6.6, put(A, workers=40)),
        (6.6, lambda engine: engine.look().eta_s),
    )
    Rig([job(ids(124), lanes)], lanes).run(operate)
    assert (said[0], said[2], said[4]) == (pytest.approx(25), pytest.approx(100), pytest.approx(2.5))


class Others:
    """Other runs of the machine that count on the limits of some scopes, and take what is claimed at its word."""

    def __init__(self, *scopes):
        self.scopes = scopes
        self.claims = []

    def beyond(self, lane_id):
        return None

    def shares(self, scope):
        return scope in self.scopes

    def claim(self, scope, *, workers, qps):
        self.claims.append((scope.name, workers, qps))

    def tell(self, told):
        pass

    def ask(self, key, now_ns):
        return True

    def give_back(self, key, now_ns):
        pass

    def still_ours(self, key, now_ns):
        return True

    def holder(self, key, now_ns):
        return ""


def test_a_limit_that_other_runs_count_on_is_not_lifted_but_given_another_figure():
    lanes = [lane("a", workers=4, qps=9.0, outer=[("key", "p/key0", {"workers": 6})])]
    operate, said = at(
        (1.5, put(KEY, workers="none")),
        (1.6, put(A, qps="none")),
        (2.5, put(KEY, workers=3, qps=5)),
        (2.6, put(KEY, qps="none")),
        (2.7, put(A, workers=9)),
    )
    rig = Rig([job(ids(30), lanes)], lanes)
    rig.sharing = others = Others(A, KEY)
    assert rig.run(operate) == "finished"
    assert said == [
        Refused("key p/key0 shares its limit on workers with other runs: give it a figure"),
        Refused("p/a@key0 shares its limit on qps with other runs: give it a figure"),
        Accepted("key p/key0: workers 6 → 3, qps none → 5"),
        Accepted("key p/key0: qps 5 → none"),
        Accepted("p/a@key0: workers 4 → 9"),
    ]
    assert others.claims == [("p/key0", 3, 5), ("p/key0", 3, None), ("p/a@key0", 9, 9)]
