"""Whatever somebody changes while a run goes on: no request passes over a limit in force, and no test is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import anyio
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.engine.jobs import TEST_ATTEMPTS
from console.vocabulary.chat import ChatRequest
from console.vocabulary.command import Accepted, Change, Pause, Resume, Switch, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Verdict
from console.work.contract import TestResult

LANES = ("p/a@key0", "p/a@key1", "p/b@key0")
SCOPES = [
    *(Scope("lane", name) for name in LANES),
    Scope("key", "p/key0"),
    Scope("deployment", "p/a"),
    Scope("model", "m"),
    Scope("provider", "p"),
]
PLAN = {scope: (scope.kind == "lane" and 3) or None for scope in SCOPES} | {Scope("deployment", "p/a"): 5}


def inside(scope: Scope, name: str) -> bool:
    deployment, _, key = name.removeprefix("p/").partition("@")
    own = {"lane": name, "key": f"p/{key}", "deployment": f"p/{deployment}", "model": "m", "provider": "p"}
    return scope.name == own[scope.kind]


@dataclass
class Watchful(ScriptedClient):
    """Holds every request against the limits in force when it is sent, which is when it passed."""

    limits: dict[Scope, int | None] = field(default_factory=lambda: dict(PLAN))
    rates: dict[Scope, tuple[float, int]] = field(default_factory=dict)
    """Requests per second, and since when."""
    last: dict[Scope, int] = field(default_factory=dict)

    async def complete(self, endpoint, request, on_sent=None):
        name = endpoint.deployment
        for scope, most in self.limits.items():
            if not inside(scope, name):
                continue
            flying = 1 + sum(count for other, count in self.in_flight.items() if inside(scope, other))
            assert most is None or flying <= most, f"{flying} in flight, {scope} has {most}"
            rate, since_ns = self.rates.get(scope, (None, 0))
            before = self.last.get(scope, -1)
            if rate is not None and before >= since_ns:
                assert now_ns() - before >= 1e9 / rate - 1000, f"{scope} lets {rate} a second through"
            self.last[scope] = now_ns()
        if on_sent is not None:
            on_sent.sent(now_ns())
        return await super().complete(endpoint, request, on_sent)


class Turns:
    """A test of one to three turns."""

    async def run(self, test, ask, said):
        for _ in range(1 + test.instance % 3):
            await ask(ChatRequest(messages=({"role": "user", "content": "on"},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0)


figures = st.one_of(st.integers(1, 9), st.none())
workers = st.one_of(
    st.builds(Change, st.just("="), figures),
    st.builds(Change, st.sampled_from("+-"), st.integers(1, 4)),
    st.builds(Change, st.just("reset")),
)
qps = st.one_of(
    st.builds(Change, st.just("="), st.sampled_from([None, None, 0.5, 2.0, 7.0, 40.0])),
    st.builds(Change, st.sampled_from("+-"), st.sampled_from([0.5, 3.0])),
    st.builds(Change, st.just("reset")),
)
scopes = st.lists(st.sampled_from(SCOPES), min_size=1, max_size=3).map(tuple)
tunes = st.builds(Tune, scopes=scopes, workers=st.none() | workers, qps=st.none() | qps)
switches = st.one_of(
    st.builds(Switch, st.just("key"), st.sampled_from(["p/key0", "p/key1"]), on=st.booleans()),
    st.builds(Switch, st.just("lane"), st.sampled_from(LANES), on=st.booleans()),
    st.builds(Switch, st.just("deployment"), st.sampled_from(["p/a", "p/b"]), on=st.booleans()),
)
commands = st.one_of(tunes, tunes, tunes, switches, st.just(Pause()), st.just(Resume()))
schedules = st.lists(st.tuples(st.integers(1, 30), commands), max_size=20)


def stepped(change, old, plan):
    """Return what a figure comes to that is accepted."""
    if change is None:
        return old
    if change.op == "reset":
        return plan
    if change.op == "=":
        return change.value
    if change.op == "+":
        return old + change.value
    if isinstance(change.value, int):
        return max(1, old - change.value)
    return max(old - change.value, min(old, 0.1))


@settings(max_examples=examples(40), deadline=None)
@given(schedule=schedules, dealt=st.booleans(), per=st.sampled_from(["lane", "lane", "job"]))
def test_no_request_passes_over_a_limit_in_force_and_no_test_is_lost(schedule, dealt, per):
    client = Watchful(lambda endpoint, request, number: (0.2 + number % 7 / 10, {}))

    async def operate(engine):
        for gap, command in schedule:
            await anyio.sleep(gap / 10 + 0.013)  # never at the very moment of an answer
            said = engine.steering.obey(command)
            if not isinstance(command, Tune) or not isinstance(said, Accepted):
                continue
            for scope in command.scopes:
                client.limits[scope] = stepped(command.workers, client.limits[scope], PLAN[scope])
                if command.qps is not None:
                    rate = stepped(command.qps, client.rates.get(scope, (None, 0))[0], None)
                    client.rates[scope] = (rate, now_ns())
        engine.steering.obey(Resume())
        for kind, names in (("key", ["p/key0", "p/key1"]), ("lane", LANES), ("deployment", ["p/a", "p/b"])):
            for name in names:
                engine.steering.obey(Switch(kind, name, on=True))

    outer = [("deployment", "p/a", {"workers": 5})]
    lanes = [
        lane("a", workers=3, outer=outer, per=per),
        lane("a", workers=3, outer=outer, key="key1"),
        lane("b", workers=3),
    ]
    rig = Rig([job(ids(60), lanes, dealt=dealt)], lanes, client, work=Turns())
    assert rig.run(operate) == "finished"
    last = {row.test: row for row in rig.journal.tests}
    assert set(last) == set(ids(60))
    # One that was between two turns on a lane that went off is tried again elsewhere, three times in all.
    assert all(row.verdict is Verdict.FULL or row.attempt == TEST_ATTEMPTS for row in last.values())
    assert max(Counter(row.test for row in rig.journal.tests if row.verdict is Verdict.FULL).values()) == 1
    assert rig.last.in_flight == 0
    assert all(gate.in_flight == gate.waiting == 0 for gate in rig.engine.tuning.gates.values())
