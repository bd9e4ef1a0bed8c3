"""How many processes a run is worth, and how its lanes are told to lie."""

from __future__ import annotations

import msgspec
import pytest

from console.phases.plan import Job, Plan, Shard
from console.processes.count import parts_text, peak_of_lanes, peak_of_plan, processes_for
from console.processes.deal import deal_lanes
from console.vocabulary.chat import Timeouts
from console.vocabulary.lane import Lane, LaneSetup, LeaseRule, Limits


def lane(name: str, workers: int | None = None, qps: float | None = None, key: str = "k") -> LaneSetup:
    return LaneSetup(
        lane=Lane("p", "m", name, key), model_class="open", limits=Limits(workers=workers, qps=qps)
    )


def job(name: str, lanes: list[LaneSetup], before: tuple[int, ...] = ()) -> Job:
    return Job(
        id=name, phase="x", model="m", provider="p", difficulty="easy", group="g", rate="0.8",
        prompt_types=("optimal",), tests=(), shards=tuple(Shard(lane_id=one.lane.id) for one in lanes), before=before,
    )  # fmt: skip


def plan(lanes: list[LaneSetup], jobs: list[Job]) -> Plan:
    return Plan(
        title="x", profile="x", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=tuple(jobs),
        timeouts=Timeouts(), attempts=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at_once", "cores", "processes"), [(0, 8, 1), (100, 8, 1), (500, 8, 1), (501, 8, 2), (4000, 4, 4)]
)
def test_a_process_for_every_25000_chunks_a_second_that_there_is_a_core_for(
    at_once: int, cores: int, processes: int
) -> None:
    assert processes_for(at_once, cores=cores) == processes


def test_jobs_in_series_count_by_the_largest_and_side_by_side_together() -> None:
    a, b = lane("a", workers=100), lane("b", workers=300)
    assert peak_of_plan(plan([a, b], [job("1", [a]), job("2", [b], before=(0,))])) == 300
    assert peak_of_plan(plan([a, b], [job("1", [a]), job("2", [b])])) == 400
    assert peak_of_plan(plan([a], [job("1", [a]), job("2", [a])])) == 100, (
        "jobs on one lane share its workers"
    )


def leased(name: str, model: str, lanes: list[LaneSetup]) -> Job:
    keys = tuple(f"p/{one.lane.key}" for one in lanes)
    return msgspec.structs.replace(job(name, lanes), model=model, lease=tuple(dict.fromkeys(keys)))


def test_jobs_that_lease_hold_one_key_each() -> None:
    a = [lane("a", workers=10, key=key) for key in ("k0", "k1")]
    b = [lane("b", workers=3, key=key) for key in ("k0", "k1")]
    jobs = [leased("1", "a", a), leased("2", "b", b), leased("3", "b", b)]
    assert peak_of_plan(plan([*a, *b], jobs[:1])) == 10
    assert peak_of_plan(plan([*a, *b], jobs[:2])) == 13
    assert peak_of_plan(plan([*a, *b], [*jobs, leased("4", "a", a)])) == 20  # two keys, ten at most on each
    two = msgspec.structs.replace(plan([*a, *b], jobs), leases={"p/k0": LeaseRule(holders=2)})
    assert peak_of_plan(two) == 16  # three jobs: of ten, of three and of three
    beside = lane("c", workers=7)
    assert peak_of_plan(plan([*a, *b, beside], [*jobs[:2], job("5", [beside])])) == 20


def test_copies_of_a_limit_count_for_each_job() -> None:
    own = msgspec.structs.replace(lane("a", workers=4), per="job")
    assert peak_of_plan(plan([own], [job("1", [own]), job("2", [own])])) == 8


def test_a_level_has_no_more_in_flight_than_it_is_asked_for() -> None:
    assert peak_of_lanes([lane("a", workers=100), lane("b", workers=300)], 50) == 50
    assert peak_of_lanes([lane("a", workers=100), lane("b", workers=300)], None) == 400


def test_what_stays_whole_is_said() -> None:
    lanes = [lane("a", workers=100), lane("b", workers=100, qps=5), lane("c", workers=1)]
    text = parts_text(lanes, deal_lanes(lanes, 2))
    assert text == (
        "2 engine processes: 1 lane split over them, 2 whole on one (a rate, or few workers, is not split)"
    )
