"""The control socket over real unix sockets: who may ask, what is answered, and who waits for whom."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec
import pytest

from console.control import server as server_module
from console.control.address import MAX_PATH_BYTES, socket_path
from console.control.client import ControlClient, NoAnswer, NotLive, Watcher
from console.control.server import MAX_LINE_BYTES, ControlServer
from console.vocabulary.command import Accepted, Command, Drain, Look, Pause, Refused, Resume
from console.vocabulary.errors import ConsoleError
from console.vocabulary.snapshot import LaneView, Snapshot

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


class Engine:
    """Counts what it is asked for; obeys all but drain."""

    def __init__(self, lanes: int = 3) -> None:
        self.built = 0
        self.obeyed: list[Command] = []
        self.lanes = tuple(
            LaneView(provider="sim", model="m", deployment=f"m-{n}", key="key0") for n in range(lanes)
        )

    def look(self) -> Snapshot:
        self.built += 1
        return Snapshot(
            seq=self.built,
            run_id="r1",
            run_dir="/runs/r1",
            pid=os.getpid(),
            title="5.1",
            profile="sim",
            simulated=True,
            state="running",
            elapsed_s=1.0,
            lanes=self.lanes,
        )

    def obey(self, command: Command) -> Accepted | Refused:
        self.obeyed.append(command)
        return Refused("not now") if isinstance(command, Drain) else Accepted("done")


@asynccontextmanager
async def serving(path: Path, engine: Engine) -> AsyncIterator[ControlServer]:
    server = ControlServer(look=engine.look, obey=engine.obey)
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.serve, path)
        yield server
        tasks.cancel_scope.cancel()


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    with anyio.fail_after(timeout_s):
        while not condition():  # noqa: ASYNC110 - the condition is not ours to signal
            await anyio.sleep(0.005)


def raw_exchange(path: Path, data: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(data)
        answer = b""
        while not answer.endswith(b"\n"):
            part = connection.recv(65536)
            assert part, "closed without an answer"
            answer += part
    return json.loads(answer)


async def test_a_watcher_is_told_what_it_asks_and_its_commands_reach_the_engine(tmp_path: Path) -> None:
    engine, path = Engine(), tmp_path / "control.sock"
    async with serving(path, engine):
        watcher = Watcher(path)
        assert (await watcher.look()).run_id == "r1"
        assert await watcher.send(Pause()) == Accepted("done")
        assert await watcher.send(Drain()) == Refused("not now")
        answer = await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Resume()))
        assert answer == Accepted("done")
        assert engine.obeyed == [Pause(), Drain(), Resume()]
        await watcher.aclose()


async def test_the_socket_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "control.sock"
    async with serving(path, Engine()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()
    with pytest.raises(NotLive):
        ControlClient.ask(path, Look())


async def test_another_users_connection_is_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, path = Engine(), tmp_path / "control.sock"
    monkeypatch.setattr(server_module, "_peer_uid", lambda _: os.geteuid() + 1)
    async with serving(path, engine):
        watcher = Watcher(path)
        with pytest.raises(NoAnswer, match="another user"):
            await watcher.look()
        await watcher.aclose()
    assert engine.built == 0


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"type":"explode"}',
        b"[1]",
        b'{"type":"look"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'"\x1b[31m"',
    ],
)
async def test_a_line_that_is_no_request_is_refused_in_words(tmp_path: Path, line: bytes) -> None:
    engine, path = Engine(), tmp_path / "control.sock"
    async with serving(path, engine):
        answer = await anyio.to_thread.run_sync(raw_exchange, path, line + b"\n")
        assert answer["type"] == "refused"
        assert str(answer["text"]).startswith("not a request")
        assert "\x1b" not in str(answer["text"])
        assert (await anyio.to_thread.run_sync(raw_exchange, path, b'{"type":"look"}\n'))["seq"] == 1


async def test_an_oversize_line_is_refused_and_its_connection_closed(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with serving(path, Engine()) as server:
        answer = await anyio.to_thread.run_sync(raw_exchange, path, b"x" * (MAX_LINE_BYTES + 70_000))
        assert answer["type"] == "refused"
        await until(lambda: server.watchers == 0)


async def test_a_watcher_that_never_reads_is_dropped_and_delays_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SEND_TIMEOUT_S", 0.3)
    monkeypatch.setattr(server_module, "ANSWER_SPACING_S", 0.0)
    engine, path = Engine(lanes=4000), tmp_path / "control.sock"
    async with serving(path, engine) as server:
        hung = socket.socket(socket.AF_UNIX)
        with hung:
            hung.connect(str(path))
            hung.sendall(b'{"type":"look"}\n' * 20)  # 20 answers of 400 kB that it will never take
            watcher = Watcher(path)
            await until(lambda: server.watchers == 1)
            for _ in range(3):
                assert len((await watcher.look()).lanes) == 4000
            assert await watcher.send(Pause()) == Accepted("done")
            await until(lambda: server.watchers == 1)  # only the good one is left
            assert len((await watcher.look()).lanes) == 4000
            await watcher.aclose()


async def test_many_watchers_share_one_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(server_module.anyio, "current_time", lambda: now[0])
    monkeypatch.setattr(server_module, "ANSWER_SPACING_S", 0.0)
    engine = Engine()
    server = ControlServer(look=engine.look, obey=engine.obey)
    line = b'{"type":"look"}'
    assert len({await server._answer(line) for _ in range(50)}) == 1
    assert engine.built == 1
    now[0] += 0.26
    assert msgspec.json.decode(await server._answer(line))["seq"] == 2
    assert engine.built == 2


async def test_a_fault_of_the_engine_is_told_and_the_server_goes_on(tmp_path: Path) -> None:
    class Broken(Engine):
        def look(self) -> Snapshot:
            raise ZeroDivisionError("by zero")

        def obey(self, command: Command) -> Accepted | Refused:
            raise ConsoleError("no such lane", where="lane", hint="look again")

    path = tmp_path / "control.sock"
    async with serving(path, Broken()):
        watcher = Watcher(path)
        with pytest.raises(NoAnswer, match="ZeroDivisionError"):
            await watcher.look()
        answer = await watcher.send(Pause())
        assert isinstance(answer, Refused)
        assert "no such lane" in answer.text
        await watcher.aclose()


async def test_more_watchers_than_there_is_room_for_take_turns_and_all_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_WATCHERS", 1)
    path = tmp_path / "control.sock"
    async with serving(path, Engine()) as server:
        first, second = Watcher(path), Watcher(path)
        for _ in range(3):
            for watcher in (first, second):
                await watcher.look()
                assert server.watchers == 1
        await first.aclose()
        await second.aclose()


async def test_a_watcher_finds_an_engine_that_came_back(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    watcher = Watcher(path)
    with pytest.raises(NotLive):
        await watcher.look()
    async with serving(path, Engine()):
        assert isinstance(await watcher.send(Pause()), Accepted)  # a key press does not wait out the pause
        assert (await watcher.look()).seq == 1
    with pytest.raises(NotLive):
        await watcher.look()
    async with serving(path, Engine()):
        await watcher.send(Pause())
        assert (await watcher.look()).seq == 1
        await watcher.aclose()


async def test_an_engine_that_hangs_is_said_to_give_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(NoAnswer, match="nothing within"):
            await Watcher(path, timeout_s=0.05).look()
        with pytest.raises(NoAnswer, match="nothing within"):
            await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Look(), 0.05))


async def test_what_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("precious")
    server = ControlServer(look=Engine().look, obey=Engine().obey)
    with pytest.raises(ConsoleError, match="not a socket"):
        await server.serve(path)
    assert path.read_text() == "precious"


async def test_a_socket_left_by_a_dead_engine_is_replaced_but_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(path, Engine()):
        second = ControlServer(look=Engine().look, obey=Engine().obey)
        with pytest.raises(ConsoleError, match="another engine"):
            await second.serve(path)
        watcher = Watcher(path)
        assert (await watcher.look()).seq == 1
        await watcher.aclose()


async def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    server = ControlServer(look=Engine().look, obey=Engine().obey)
    with pytest.raises(ConsoleError, match="only you can write"):
        await server.serve(folder / "control.sock")


async def test_a_long_run_directory_gets_a_short_socket_that_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    other = tmp_path / ("d" * 60) / ("f" * 60)
    path = socket_path(deep)
    assert len(os.fsencode(path)) <= MAX_PATH_BYTES
    assert path.parent == Path(os.environ["XDG_RUNTIME_DIR"]) / "ultra-console"
    assert socket_path(other) != path
    assert socket_path(deep) == path
    async with serving(path, Engine()):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        answer = await anyio.to_thread.run_sync(lambda: ControlClient.ask(path, Look()))
        assert isinstance(answer, Snapshot)


def test_a_short_run_directory_holds_its_own_socket() -> None:
    assert socket_path(Path("/runs/r1")) == Path("/runs/r1/control.sock")
