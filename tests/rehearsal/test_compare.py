"""Several plans side by side."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from rehearsal_rig import SIDE_BY_SIDE, prepared, simulated

from console.rehearsal import rehearse as rehearse_module
from console.rehearsal.compare import compare, comparison_lines


def two_plans(folder: Path):
    phase = folder / "contention.toml"
    phase.write_text(SIDE_BY_SIDE)
    profile = simulated(folder, workers=2)
    as_is, serial = (prepared(profile, phases=(str(phase),), policy=policy) for policy in ("as-is", "serial"))
    return [("as-is", as_is.plan), ("serial", serial.plan)], as_is.loaded.profile


def test_side_by_side_is_quicker_and_loads_the_key_more(tmp_path: Path):
    plans, profile = two_plans(tmp_path)
    comparison = compare(plans, profile)
    as_is, serial = (one.rehearsal for one in comparison.plans)
    assert (as_is.duration_s, serial.duration_s) == (5.0, 10.0)
    assert (as_is.keys[0].models_at_once, serial.keys[0].models_at_once) == (2, 1)
    assert (as_is.keys[0].peak_in_flight, serial.keys[0].peak_in_flight) == (4, 2)
    assert (as_is.keys[0].peak_qps, serial.keys[0].peak_qps) == (8, 4)
    assert comparison_lines(comparison, 80) == [
        "Plans side by side (SIMULATED); peaks are those of the busiest key",
        "plan    duration  peak QPS  in flight  models  429s  remain",
        "as-is        5 s         8          4       2     0       0",
        "serial      10 s         4          2       1     0       0",
        "",
        "Key lab/key0 (SIMULATED)",
        "plan    peak QPS  mean QPS  in flight  models  429s",
        "as-is          8      8.00          4       2     0",
        "serial         4      4.00          2       1     0",
    ]


def test_a_signal_ends_the_whole_comparison(tmp_path: Path, monkeypatch):
    plans, profile = two_plans(tmp_path)
    monkeypatch.setattr(rehearse_module, "TOLD_EVERY_S", 0.0)
    seen: list[str] = []

    def interrupt(name: str, progress: object) -> None:
        seen.append(name)
        if len(seen) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    comparison = compare(plans, profile, on_progress=interrupt, obey_signals=True)
    assert [one.name for one in comparison.plans] == ["as-is"]
    assert comparison.interrupted
    assert "ended while as-is was rehearsed" in comparison_lines(comparison, 80)[-1]
