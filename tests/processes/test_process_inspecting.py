"""One lane in full, and the last minutes, of a run on several processes."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest
from part_rig import Client, guard, ids, job, lane

from console.processes.plan_run import PlanRun
from console.vocabulary.command import Refused
from console.vocabulary.inspection import LaneDetail
from console.vocabulary.outcome import Outcome
from console.vocabulary.snapshot import PhaseView


def play(rig, jobs, *beside, processes=2):
    return rig.run(lambda seat: PlanRun(seat, rig.plan(jobs), processes), guard, *beside)


def test_a_lane_in_full_is_that_of_all_processes(make_rig):
    key = ("key", "p/key0", {"workers": 9})
    lanes = [lane("a", workers=6, outer=[key]), lane("b", workers=1, outer=[key])]
    seen: list[Any] = []

    def answer(endpoint, number):
        bad = {"outcome": Outcome.BAD_REQUEST, "status": 400, "error": "no\x1b[2J"}
        return 0.3, bad if number % 20 == 0 else {}

    async def look(rig):
        await anyio.sleep(12)
        rig.coordinator.look()
        await anyio.sleep(0.5)
        seen.append(await rig.coordinator.inspect("p/a@key0"))
        seen.append(await rig.coordinator.inspect("p/c@key0"))
        seen.append(rig.coordinator.look())
        seen.append(rig.coordinator.recall())

    rig = make_rig(lanes, Client(answer))
    jobs = [
        msgspec.structs.replace(job(ids(400), lanes), phase="5.1"),
        msgspec.structs.replace(job(ids(9, "n"), lanes, name="later", before=(0,)), phase="5.2"),
    ]
    assert play(rig, jobs, look) == "finished"
    detail, unknown, snapshot, history = seen
    assert isinstance(detail, LaneDetail)
    own, of_key = detail.gates
    assert (own.kind, own.most, of_key.name, of_key.most) == ("lane", 6, "p/key0", 9)
    assert 4 <= own.in_flight <= 6
    assert own.in_flight <= of_key.in_flight <= 7
    assert detail.outcomes["ok"] == detail.lane.ok > 150
    assert detail.lane.profile_workers == detail.lane.workers == 6
    assert sum(detail.ttft_counts) > 150
    assert len(detail.failures) == 8
    assert {failed.text for failed in detail.failures} == {"no\u241b"}
    assert list(detail.failures) == sorted(detail.failures, key=lambda failed: failed.at_s)
    assert detail.jobs == ("m easy optimal 0.8",)
    assert isinstance(unknown, Refused)
    assert "did you mean p/b@key0?" in unknown.text
    assert [phase.id for phase in snapshot.phases] == ["5.1", "5.2"]
    assert snapshot.phases[1] == PhaseView(id="5.2", planned=9, done=0, state="waiting")
    assert snapshot.queued == pytest.approx(snapshot.planned - snapshot.done - 7, abs=12)
    assert [point.at_s for point in history.total] == [5, 10]
    assert history.total[-1].limit == 7
    assert history.total[-1].errors_per_s == pytest.approx(7 / 0.3 / 20, rel=0.5)
    assert set(history.lanes) == {"p/a@key0", "p/b@key0"}


def test_a_lane_whose_process_hangs_is_answered_in_time_by_the_others(make_rig):
    lanes = [lane("a", workers=6), lane("b", workers=1)]
    seen: list[Any] = []

    async def look(rig):
        await anyio.sleep(5.2)
        rig.processes[0].hang()
        before = rig.now_s
        seen.append(await rig.coordinator.inspect("p/a@key0"))
        seen.append(rig.now_s - before)
        rig.processes[0].kill()
        await anyio.sleep(5)
        seen.append(await rig.coordinator.inspect("p/a@key0"))

    rig = make_rig(lanes)
    assert play(rig, [job(ids(200), lanes)], look) == "finished"
    alone, took_s, again = seen
    assert (alone.gates[0].most, took_s) == (3, pytest.approx(1.0))
    assert again.gates[0].most == 6  # another one has taken its place
    assert again.outcomes["ok"] > alone.outcomes["ok"]
