from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from console.cli import attach as attach_module
from console.cli.attach import _meant, watch_plainly
from console.cli.control import live_run
from console.control.client import NotLive
from console.records.run_dir import create_run_dir
from console.records.run_file import RunFile, write_run_file
from console.records.run_lock import hold_run_lock
from console.screens.live.needs import RunEnd
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.snapshot import Snapshot

NEWEST_LAST = ("a", "b", "c")


@pytest.fixture
def runs() -> dict[str, Path]:
    made: dict[str, Path] = {}
    for day, name in enumerate(NEWEST_LAST, 1):
        made[name] = create_run_dir(None, name)
        created = f"2026-11-0{day}T10:00:00+00:00"
        write_run_file(
            made[name],
            RunFile(run_id=name, title="5.1", profile="sim", created=created, pid=1, simulated=True),
        )
    return made


def picture(done: int) -> Snapshot:
    return Snapshot(
        seq=1, run_id="r", run_dir="/r", pid=os.getpid(), title="5.1", profile="sim", simulated=True,
        state="running", elapsed_s=1.0, planned=800, done=done,
    )  # fmt: skip


class Script:
    """A backend and its line at once: says one thing after another."""

    def __init__(self, *said: Snapshot | BaseException, end: RunEnd | None = None) -> None:
        self.said = list(said)
        self.end = end

    def watch(self, run_dir: Path) -> Script:
        return self

    def ended(self, run_dir: Path) -> RunEnd | None:
        return self.end

    async def look(self) -> Snapshot:
        said = self.said.pop(0)
        if isinstance(said, BaseException):
            raise said
        return said

    async def aclose(self) -> None:
        pass


def test_the_live_run_is_meant_even_if_a_newer_one_is_over(runs):
    with hold_run_lock(runs["b"]):
        assert live_run() == runs["b"]
        assert _meant(None) == runs["b"]


def test_without_a_live_run_there_is_none_to_tell_and_attach_takes_the_newest(runs):
    with pytest.raises(ConsoleError, match="no run is live"):
        live_run()
    assert _meant(None) == runs["c"]


def test_of_several_live_runs_one_must_be_named_and_attach_takes_the_newest(runs):
    with ExitStack() as held:
        for name in ("a", "b"):
            held.enter_context(hold_run_lock(runs[name]))
        with pytest.raises(ConsoleError) as told:
            live_run()
        assert told.value.exit_code == ExitCode.USAGE
        assert told.value.hint == "give one of b, a"
        assert _meant(None) == runs["b"]


def test_ctrl_c_tells_the_last_counts_seen(runs, capsys):
    assert watch_plainly(Script(picture(338), KeyboardInterrupt()), runs["a"]) == 0
    assert "run a goes on (338/800 tests)" in capsys.readouterr().err


def test_an_engine_that_was_killed_is_said_to_be_gone_at_once(runs, capsys):
    assert watch_plainly(Script(NotLive(runs["a"] / "control.sock")), runs["a"]) == ExitCode.INCOMPLETE
    told = capsys.readouterr().err
    assert "run a: the engine is gone, without an end" in told
    assert f"what is finished is kept: {runs['a']}/journal" in told
    assert "ultra-console summary a" in told


def test_the_end_is_told_at_once_and_not_at_the_pace_of_the_lines(runs, capsys, monkeypatch):
    monkeypatch.setattr(attach_module, "LOOK_EVERY_S", 0.001)
    looks = [picture(n) for n in range(5)]
    script = Script(*looks, NotLive(runs["a"]), end=RunEnd("finished", 0, 800, 800))
    assert watch_plainly(script, runs["a"]) == 0
    told = capsys.readouterr().err
    assert told.count("running") == 1  # a line in ten seconds, though it looked five times
    assert "run a finished (800/800 tests)" in told
