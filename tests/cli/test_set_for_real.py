"""Limits of a live run, changed from the shell: what is in flight follows, down and up, and the results say so."""

from __future__ import annotations

from pathlib import Path

from commands import end, rows_written, start, ultra_here, until

from console.control.address import socket_path
from console.control.client import ControlClient
from console.records.read_journal import read_rows
from console.records.run_dir import read_run_file
from console.vocabulary.command import Look
from console.vocabulary.rows import EventRow
from console.vocabulary.snapshot import Snapshot

LANE = "lane:azure/gpt-4o-mini@key0"


def look(run_dir: Path) -> Snapshot:
    socket = Path(read_run_file(run_dir).control_socket or socket_path(run_dir))
    picture = ControlClient.ask(socket, Look())
    assert isinstance(picture, Snapshot)
    return picture


def most_seen(run_dir: Path, looks: int = 4) -> int:
    """Return the most requests that were in flight in a few pictures."""
    return max(look(run_dir).in_flight for _ in range(looks))


def change(run_dir: Path, *settings: str, code: int = 0) -> str:
    returned, out, err = ultra_here("set", str(run_dir), *settings)
    assert returned == code, err
    return out if code == 0 else err


def test_in_flight_follows_a_lanes_workers_down_and_up(tmp_path: Path) -> None:
    process = start(
        "run", "--model", "gpt-4o-mini", "--num-instances", "400", "--out", str(tmp_path), "--run-id", "r"
    )
    until(lambda: rows_written(tmp_path, "test") > 10, "some tests")
    run_dir = tmp_path / "r"
    planned = look(run_dir).lanes[0].workers
    assert planned is not None
    assert f"azure/gpt-4o-mini@key0: workers {planned} → 2" in change(run_dir, f"{LANE}.workers=2")
    until(lambda: look(run_dir).in_flight <= 2, "in-flight to fall")
    assert most_seen(run_dir) <= 2

    said = change(run_dir, "lanes.workers=12", f"{LANE}.workers+=3", "key:azure/key0.qps=500")
    assert said.splitlines() == [
        "r: azure/gpt-4o-mini@key0: workers 2 → 12",
        "r: azure/gpt-4o-mini@key0: workers 12 → 15",
        "r: key azure/key0: qps none → 500",
    ]
    until(lambda: look(run_dir).in_flight > 10, "in-flight to rise")
    view = look(run_dir).lanes[0]
    assert (view.workers, view.profile_workers, view.qps_scope, view.most_qps) == (15, planned, "key", 500)

    said = change(run_dir, f"{LANE}.workers=4", f"{LANE}.workers=none", f"{LANE}.qps=9", code=2)
    assert (
        "the engine refused lane:azure/gpt-4o-mini@key0.workers=none: azure/gpt-4o-mini@key0: a lane is"
        in said
    )
    assert "done before it: lane:azure/gpt-4o-mini@key0.workers=4; not tried: lane:azure/" in said
    assert "did you mean azure/gpt-4o-mini@key0?" in change(
        run_dir, "lane:azure/gpt4o-mini@key0.qps=3", code=2
    )
    assert "no lane of this run is like nowhere/*" in change(run_dir, "lane:nowhere/*.qps=3", code=2)
    assert look(run_dir).lanes[0].workers == 4

    assert ultra_here("stop", str(run_dir))[0] == 0
    code, out, err = end(process)
    assert code == 130, err
    told = [row.text for row in read_rows(run_dir) if isinstance(row, EventRow) and row.kind == "tune"]
    assert told == [
        f"workers {planned} → 2, by hand",
        "workers 2 → 12, by hand",
        "workers 12 → 15, by hand",
        "qps none → 500, by hand",
        "workers 15 → 4, by hand",
    ]
    assert "limits were changed by hand 5 times (see events)" in out.replace("\n", " ")
