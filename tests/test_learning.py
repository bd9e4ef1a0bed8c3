"""What one run learns is there for the next, by whatever names, and trouble with that harms no run."""

from __future__ import annotations

from pathlib import Path

import anyio
import msgspec
import pytest
import trio
from trio.testing import MockClock

from console.learning import Learning, lane_identity
from console.records.learnt_store import LearntStore
from console.vocabulary.chat import Endpoint
from console.vocabulary.lane import Lane, LaneSetup, Limits
from console.vocabulary.learnt import Learnt
from console.vocabulary.secret import Secret

NOW_S = 2_000_000_000.0
KEY = "sk-canary-0123456789"


def setup(name: str = "a", *, provider: str = "p", key: str = "key0", adaptive: bool = True) -> LaneSetup:
    lane = Lane(provider, "m", name, key)
    return LaneSetup(lane=lane, model_class="open", limits=Limits(workers=9), adaptive=adaptive)


def endpoint(
    name: str = "a", *, url: str = "http://Host:80/v1/", key: str | None = KEY, source: str = "env:K"
):
    secret = None if key is None else Secret(key, source)
    return Endpoint(api="openai", base_url=url, deployment=name, secret=secret)


def learning(tmp_path: Path, setups, endpoints, **more) -> Learning:
    places = {one.lane.id: place for one, place in zip(setups, endpoints, strict=True)}
    return Learning(setups, places, store=LearntStore(tmp_path), wall_s=lambda: NOW_S, **more)


def leave(one: Learning, found: dict[str, Learnt]) -> list[str]:
    told: list[str] = []
    one.follow(lambda wall_s: found, told.append)
    one.close()
    return told


def test_the_next_run_knows_the_lane_under_other_names_and_no_key_is_in_the_file(tmp_path: Path):
    found = Learnt(at_s=NOW_S, requests_per_s=9.3)
    first = learning(tmp_path, [setup()], [endpoint()])
    assert first.known == {}
    assert leave(first, {"p/a@key0": found}) == []
    assert (first.found, first.kept, first.trouble) == ({"p/a@key0": found}, {"p/a@key0"}, "")
    other = setup(provider="q", key="main")
    second = learning(tmp_path, [other], [endpoint(url="http://host/v1", source="file:/k")])
    assert second.known == {"q/a@main": found}
    assert KEY not in (tmp_path / "learnt.json").read_text()


@pytest.mark.parametrize(
    "place",
    [endpoint("b"), endpoint(url="http://host/v2"), endpoint(key="sk-another"), endpoint(key=None)],
)
def test_another_deployment_server_or_key_is_another_lane(tmp_path: Path, place: Endpoint):
    leave(learning(tmp_path, [setup()], [endpoint()]), {"p/a@key0": Learnt(at_s=NOW_S, window=3)})
    assert lane_identity(place) != lane_identity(endpoint())
    assert learning(tmp_path, [setup()], [place]).known == {}


def test_nothing_is_kept_of_own_simulators_of_fixed_lanes_and_of_what_met_no_limit(tmp_path: Path):
    setups = [setup("own"), setup("fixed", adaptive=False), setup("idle")]
    one = learning(
        tmp_path, setups, [endpoint("own"), endpoint("fixed"), endpoint("idle")],
        own_lanes=frozenset({"p/own@key0"}),
    )  # fmt: skip
    leave(one, {"p/own@key0": Learnt(at_s=NOW_S, window=3), "p/idle@key0": Learnt(at_s=NOW_S)})
    assert set(one.found) == {"p/own@key0"}
    assert one.kept == {"p/idle@key0"}
    assert not (tmp_path / "learnt.json").exists()


def test_a_run_of_fixed_lanes_does_not_even_look(tmp_path: Path):
    (tmp_path / "learnt.json").write_text("garbage")
    one = learning(tmp_path, [setup(adaptive=False)], [endpoint()])
    assert leave(one, {}) == []
    assert (tmp_path / "learnt.json").read_text() == "garbage"


def test_it_is_saved_every_minute(tmp_path: Path):
    one = learning(tmp_path, [setup()], [endpoint()])
    windows = iter(range(1, 100))
    ages: list[int] = []

    def look(wall_s: float) -> dict[str, Learnt]:
        return {"p/a@key0": Learnt(at_s=NOW_S, window=next(windows))}

    async def main():
        one.follow(look, pytest.fail)
        async with anyio.create_task_group() as group:
            group.start_soon(one.keep)
            for _ in range(3):
                await anyio.sleep(64)
                one._saving.join()
                (kept,) = LearntStore(tmp_path).read(NOW_S).values()
                ages.append(kept.learnt.window)
            group.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert ages == [1, 2, 3]


def test_a_store_that_fails_is_told_of_once_and_harms_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    one = learning(tmp_path / "file" / "state", [setup()], [endpoint()])
    assert one.known == {}
    told: list[str] = []

    async def main():
        one.follow(lambda wall_s: {"p/a@key0": Learnt(at_s=NOW_S, window=2)}, told.append)
        async with anyio.create_task_group() as group:
            group.start_soon(one.keep)
            for _ in range(3):
                await anyio.sleep(61)
                if one._saving is not None:
                    one._saving.join()
                await anyio.sleep(4)
            group.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    one.close()
    assert len(told) == 1
    assert "is not kept for the next run" in told[0]
    assert one.trouble
    assert one.kept == frozenset()


def test_garbage_is_told_of_once_and_replaced(tmp_path: Path):
    (tmp_path / "learnt.json").write_text("{")
    one = learning(tmp_path, [setup()], [endpoint()])
    told = leave(one, {"p/a@key0": Learnt(at_s=NOW_S, window=2)})
    assert len(told) == 1
    assert "taken for empty" in told[0]
    assert one.trouble == ""
    (kept,) = LearntStore(tmp_path).read(NOW_S).values()
    assert msgspec.to_builtins(kept.learnt) == {"at_s": NOW_S, "window": 2}
