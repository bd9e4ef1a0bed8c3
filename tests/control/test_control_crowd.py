"""The control socket when too many are connected: those who want something get in all the same."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from test_control_socket import Engine, serving, until

from console.control import server as server_module
from console.control.client import ControlClient, NoAnswer, NotLive, Watcher
from console.control.server import MAX_WATCHERS
from console.vocabulary.command import Accepted, Pause, Stop

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


def connected(stack: ExitStack, path: Path) -> socket.socket:
    connection = stack.enter_context(socket.socket(socket.AF_UNIX))
    connection.connect(str(path))
    return connection


async def test_silent_connections_do_not_keep_a_command_out(tmp_path: Path) -> None:
    engine, path = Engine(), tmp_path / "control.sock"
    async with serving(path, engine) as server:
        with ExitStack() as stack:
            for _ in range(MAX_WATCHERS + 8):
                connected(stack, path)
            await until(lambda: server.watchers == MAX_WATCHERS)
            answer = await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Stop()))
            assert answer == Accepted("done")
            assert server.watchers <= MAX_WATCHERS
    assert engine.obeyed == [Stop()]


async def test_the_one_that_asked_nothing_for_longest_makes_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_WATCHERS", 2)
    path = tmp_path / "control.sock"
    async with serving(path, Engine()) as server:
        with ExitStack() as stack:
            asking = Watcher(path)
            await asking.look()
            silent = connected(stack, path)
            await until(lambda: server.watchers == 2)
            await anyio.sleep(0.01)  # the clock moves on
            await asking.look()
            kept = asking._engine
            connected(stack, path)
            silent.settimeout(5)
            assert await anyio.to_thread.run_sync(silent.recv, 1) == b""  # dropped
            await asking.look()
            assert asking._engine is kept
            await asking.aclose()


async def test_a_watcher_that_asks_nothing_for_long_is_dropped_and_comes_back_unnoticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "IDLE_S", 0.05)
    engine, path = Engine(), tmp_path / "control.sock"
    async with serving(path, engine) as server:
        watcher = Watcher(path)
        await watcher.look()
        await until(lambda: server.watchers == 0)
        assert await watcher.send(Pause()) == Accepted("done")
        await until(lambda: server.watchers == 0)
        await watcher.look()
        await watcher.aclose()
    assert engine.obeyed == [Pause()]


async def test_a_full_queue_of_connections_is_not_taken_for_a_dead_engine(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with ExitStack() as stack:
        busy = stack.enter_context(socket.socket(socket.AF_UNIX))
        busy.bind(str(path))
        busy.listen(0)
        for _ in range(64):
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            if waiting.connect_ex(str(path)):
                break
        else:
            pytest.skip("this system queues without end")
        with pytest.raises(NoAnswer, match="too many connections"):
            await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Stop(), 0.12))
        with pytest.raises(NoAnswer, match="too many connections"):
            await Watcher(path).look()


async def test_only_an_absent_or_deaf_socket_means_that_the_run_is_not_live(tmp_path: Path) -> None:
    with pytest.raises(NotLive):
        ControlClient.ask(tmp_path / "absent.sock", Stop())
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(NotLive):
        ControlClient.ask(tmp_path / "dead.sock", Stop())
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x.sock", tmp_path / ("x" * 200)):  # not a directory; too long
        with pytest.raises(NoAnswer):
            ControlClient.ask(path, Stop())
        with pytest.raises(NoAnswer):
            await Watcher(path).look()


async def test_an_engine_that_hangs_up_is_said_to_give_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()

        def hang_up() -> None:
            connection, _ = engine.accept()
            with connection:
                connection.recv(100)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, hang_up)
            with pytest.raises(NoAnswer, match="closed the connection"):
                await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Stop()))
