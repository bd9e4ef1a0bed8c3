"""Lanes in full and the last minutes over the control socket: many watchers cost no more than one."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from console.control.client import NoAnswer, Watcher
from console.control.kept import KeptAnswers
from console.control.server import ControlServer
from console.vocabulary.command import Accepted, Command, Pause, Refused
from console.vocabulary.inspection import History, LaneDetail, Point
from console.vocabulary.snapshot import LaneView, Snapshot

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


async def test_a_watcher_is_told_of_a_lane_and_of_the_last_minutes(tmp_path: Path) -> None:
    view = LaneView(provider="p", model="m", deployment="d", key="k", in_flight=3)

    async def inspect(lane: str) -> LaneDetail | Refused:
        if lane != view.lane_id:
            return Refused(f"no lane {lane}")
        return LaneDetail(at_s=1.5, lane=view, ttft_edges_ms=(10.0,), ttft_counts=(1, 2))

    history = History(step_s=5, total=(Point(5, 3), Point(10, 4, limit=9)), lanes={"p/d@k": (Point(5, 3),)})
    server = ControlServer(
        look=lambda: pytest.fail("nobody looks"),
        obey=lambda command: Accepted(),
        inspect=inspect,
        recall=lambda: history,
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.serve, tmp_path / "s")
        watcher = Watcher(tmp_path / "s")
        detail = await watcher.inspect("p/d@k")
        assert (detail.lane, detail.ttft_counts) == (view, (1, 2))
        assert await watcher.recall() == history
        with pytest.raises(NoAnswer, match="no lane p/e@k"):
            await watcher.inspect("p/e@k")
        await watcher.aclose()
        tasks.cancel_scope.cancel()


async def test_those_who_ask_at_once_for_the_same_wait_for_one_answer() -> None:
    made: list[str] = []
    kept = KeptAnswers(10.0)

    async def make() -> bytes:
        made.append("x")
        await anyio.sleep(0.01)
        return b"%d" % len(made)

    lines: list[bytes] = []

    async def ask(name: str) -> None:
        lines.append(await kept.get(name, make))

    async with anyio.create_task_group() as group:
        for _ in range(32):
            group.start_soon(ask, "a")
    assert (lines, len(made)) == ([b"1"] * 32, 1)
    for number in range(200):
        await kept.get(f"lane {number}", make)
    assert len(made) == 201
    assert await kept.get("a", make) == b"1"  # none is dropped before its time


async def test_one_who_goes_away_while_an_answer_is_made_leaves_it_to_the_next() -> None:
    kept = KeptAnswers(10.0)

    async def never() -> bytes:
        await anyio.sleep_forever()
        return b""

    async def soon() -> bytes:
        await anyio.lowlevel.checkpoint()
        return b"there"

    with anyio.move_on_after(0.01):
        await kept.get("a", never)
    assert await kept.get("a", soon) == b"there"


async def test_an_old_answer_is_made_anew() -> None:
    kept = KeptAnswers(0.0)
    made: list[int] = []

    async def make() -> bytes:
        made.append(1)
        await anyio.lowlevel.checkpoint()
        return b"x"

    await kept.get("a", make)
    await kept.get("a", make)
    assert len(made) == 2


async def test_after_a_command_nothing_of_before_is_handed_out(tmp_path: Path) -> None:
    workers = [5]

    def view() -> LaneView:
        return LaneView(provider="p", model="m", deployment="d", key="k", workers=workers[0])

    def look() -> Snapshot:
        return Snapshot(
            seq=1, run_id="r", run_dir="/r", pid=1, title="x", profile="p", simulated=True, state="running",
            elapsed_s=1.0, lanes=(view(),),
        )  # fmt: skip

    async def inspect(lane: str) -> LaneDetail | Refused:
        return LaneDetail(at_s=1.0, lane=view())

    def obey(command: Command) -> Accepted | Refused:
        workers[0] = 9
        return Accepted("changed")

    server = ControlServer(look=look, obey=obey, inspect=inspect)
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.serve, tmp_path / "s")
        watcher = Watcher(tmp_path / "s")
        assert ((await watcher.look()).lanes[0].workers, (await watcher.inspect("x")).lane.workers) == (5, 5)
        await watcher.send(Pause())
        assert ((await watcher.look()).lanes[0].workers, (await watcher.inspect("x")).lane.workers) == (9, 9)
        await watcher.aclose()
        tasks.cancel_scope.cancel()
