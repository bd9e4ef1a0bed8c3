"""Pictures of several processes put together: sums are sums, quantiles are of all samples, words are the right ones."""

from __future__ import annotations

from typing import Any

import pytest

from console.processes.merge import Merged, remains_of
from console.processes.merge import merge as merge_in_order
from console.processes.messages import Seen
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.log_buckets import bucket_of
from console.vocabulary.snapshot import LaneView, Snapshot

MS = 1_000_000


def view(name: str, **fields: Any) -> LaneView:
    return LaneView(provider="p", model="m", deployment=name, key="k", **fields)


def seen(*lanes: LaneView, ttft: dict[str, list[int]] | None = None, **fields: Any) -> Seen:
    snapshot = Snapshot(
        seq=1, run_id="r", run_dir="/r", pid=1, title="", profile="", simulated=False, state="running",
        elapsed_s=1.0, lanes=lanes, **fields,
    )  # fmt: skip
    counts: dict[str, dict[int, int]] = {}
    for lane_id, ms_values in (ttft or {}).items():
        of_lane = counts.setdefault(lane_id, {})
        for ms in ms_values:
            of_lane[bucket_of(ms * MS)] = of_lane.get(bucket_of(ms * MS), 0) + 1
    return Seen(snapshot, counts)


def merge(pictures: dict[int, Seen], order: list[str]) -> Merged:
    return merge_in_order(list(pictures.items()), order)


def test_a_lane_with_two_parts_is_one_lane() -> None:
    merged = merge(
        {
            1: seen(view("a", in_flight=3, held=4, workers=5, rate=1.5, ok=7), ttft={"p/a@k": [100] * 20}),
            2: seen(view("a", in_flight=2, held=2, workers=5, rate=0.5, ok=1), ttft={"p/a@k": [300] * 21}),
        },
        ["p/a@k"],
    )
    (lane,) = merged.lanes
    assert (lane.in_flight, lane.held, lane.workers, lane.rate, lane.ok) == (5, 6, 10, 2.0, 8)
    assert lane.ttft_p50_ms == pytest.approx(300, rel=0.02)
    assert merged.ttft_p50_ms == lane.ttft_p50_ms


def test_limits_add_up_and_what_is_on_one_process_is_as_the_latest_one_says() -> None:
    parts = {
        1: seen(
            view("a", workers=3, profile_workers=5),
            view("b", qps=2.0, qps_scope="key", most_qps=1.0, holder="j"),
        ),
        2: seen(view("a", workers=4, profile_workers=5)),
    }
    (a, b) = merge(parts, ["p/a@k", "p/b@k"]).lanes
    assert (a.workers, a.profile_workers) == (7, 10)
    assert (b.qps, b.qps_scope, b.most_qps, b.holder) == (2.0, "key", 1.0, "j")
    dead = remains_of(seen(view("b", workers=9, profile_workers=9, qps=8.0, window=3), queued=7))
    assert dead.snapshot.queued == 0
    new = seen(view("b", workers=8, profile_workers=9, qps=1.0, window=5, adaptive=True, moved=-1))
    (b,) = merge_in_order([(1, dead), (1, new)], ["p/b@k"]).lanes
    assert (b.workers, b.profile_workers, b.qps, b.window, b.adaptive, b.moved) == (8, 9, 1.0, 5, True, -1)


def test_lanes_stand_in_the_order_of_the_profile_and_unknown_ones_are_left_out() -> None:
    merged = merge({1: seen(view("b")), 2: seen(view("a"))}, ["p/a@k", "p/b@k", "p/c@k"])
    assert [lane.deployment for lane in merged.lanes] == ["a", "b"]


@pytest.mark.parametrize(
    ("states", "word"),
    [
        (("off", "busy"), "busy"),
        (("off", "off"), "off"),
        (("full", "full"), "full"),
        (("full", "busy"), "busy"),
        (("throttled", "busy"), "throttled"),
        (("idle", "parked"), "parked"),
    ],
)
def test_the_word_for_a_lane_of_two_parts(states: tuple[Any, Any], word: str) -> None:
    merged = merge({n: seen(view("a", state=state)) for n, state in enumerate(states)}, ["p/a@k"])
    assert merged.lanes[0].state == word


def test_counts_add_up_and_the_worst_process_speaks() -> None:
    bad = ClientHealth(verdict="client_bound", reason="loop lag p99 30 ms", read_delay_p99_ms=30.0)
    merged = merge(
        {
            1: seen(
                verdicts={"full": 2, "partial": 1}, requests={"ok": 3}, health=ClientHealth(verdict="valid")
            ),
            2: seen(
                verdicts={"full": 1}, requests={"ok": 1, "timeout_idle": 1}, health=bad, notice="disk: full"
            ),
        },
        [],
    )
    assert merged.verdicts == {"full": 3, "partial": 1}
    assert merged.requests == {"ok": 4, "timeout_idle": 1}
    assert merged.health is not None
    assert (merged.health.verdict, "process 2" in merged.health.reason) == ("client_bound", True)
    assert merged.notice == "disk: full"


def test_nothing_seen_is_nothing_shown() -> None:
    merged = merge({}, ["p/a@k"])
    assert (merged.lanes, merged.ttft_p50_ms, merged.health) == ((), None, None)


def test_what_a_dead_process_counted_stays_counted_and_nothing_of_it_goes_on() -> None:
    fields: dict[str, Any] = {"in_flight": 3, "held": 4, "workers": 5, "rate": 2.0}
    dead = remains_of(
        seen(view("a", ok=7, **fields), requests={"ok": 7}, notice="disk: full", ttft={"p/a@k": [100] * 20})
    )
    merged = merge_in_order([(1, dead), (1, seen(view("a", ok=1, **fields), requests={"ok": 1}))], ["p/a@k"])
    (lane,) = merged.lanes
    assert (lane.ok, lane.in_flight, lane.held, lane.workers, lane.rate) == (8, 3, 4, 5, 2.0)
    assert (merged.requests, merged.notice, lane.note) == ({"ok": 8}, "", "")
    assert lane.ttft_p50_ms == pytest.approx(100, rel=0.02)
    alone = merge_in_order([(1, dead)], ["p/a@k"]).lanes[0]
    assert (alone.state, alone.ok, alone.note) == ("off", 7, "its engine process died")
