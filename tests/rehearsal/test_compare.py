"""Several plans side by side."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
from rehearsal_rig import SIDE_BY_SIDE, prepared, rehearsed, simulated

from console.rehearsal import rehearse as rehearse_module
from console.rehearsal.choice import breaks, with_choice
from console.rehearsal.compare import Candidate, Compared, Comparison, Refused, compare
from console.rehearsal.compare_text import comparison_lines


def two_plans(folder: Path):
    phase = folder / "contention.toml"
    phase.write_text(SIDE_BY_SIDE)
    profile = simulated(folder, workers=2)
    as_is, serial = (prepared(profile, phases=(str(phase),), policy=policy) for policy in ("as-is", "serial"))
    plans = [
        Candidate(name="as-is", plan=as_is.plan, warnings=("shared-key", "oversubscribed")),
        Candidate(name="serial", plan=serial.plan),
    ]
    return plans, as_is.loaded.profile


def test_side_by_side_is_quicker_and_loads_the_key_more(tmp_path: Path):
    plans, profile = two_plans(tmp_path)
    comparison = compare(plans, profile)
    as_is, serial = (one.rehearsal for one in comparison.plans)
    assert (as_is.duration_s, serial.duration_s) == (5.0, 10.0)
    assert (as_is.keys[0].models_at_once, serial.keys[0].models_at_once) == (2, 1)
    assert (as_is.keys[0].peak_in_flight, serial.keys[0].peak_in_flight) == (4, 2)
    assert (as_is.keys[0].peak_qps, serial.keys[0].peak_qps) == (8, 4)
    assert comparison_lines(with_choice(comparison), 80) == [
        "Plans side by side (SIMULATED); peaks are those of the busiest key",
        "plan      duration  peak QPS  in flight  models  429s  remain  warns",
        "as-is          5 s         8          4       2     0       0      2",
        "serial *      10 s         4          2       1     0       0      0",
        "Peak QPS: most begun in any second. Models: most at once on a key.",
        "Remain: tests without an answer. Warns: findings of preflight. *: choose this.",
        "",
        "Key lab/key0 (SIMULATED)",
        "plan    peak QPS  mean QPS  in flight  models  429s",
        "as-is          8      8.00          4       2     0",
        "serial         4      4.00          2       1     0",
        "",
        "What this rests on:",
        "- lab: is simulated, and behaves as its `sim` table says",
        "",
        "choose serial: 10 s, the quickest that breaks nothing; as-is takes 5 s, with 2",
        "  models on a key at once",
    ]


def test_the_same_plan_under_two_names_is_played_once(tmp_path: Path, monkeypatch):
    plans, profile = two_plans(tmp_path)
    played: list[str] = []
    monkeypatch.setattr(rehearse_module, "TOLD_EVERY_S", 0.0)
    again = msgspec.structs.replace(plans[0], name="again")
    comparison = compare([*plans, again], profile, on_progress=lambda name, progress: played.append(name))
    assert [(one.name, one.same_as) for one in comparison.plans] == [
        ("as-is", ""),
        ("serial", ""),
        ("again", "as-is"),
    ]
    assert set(played) == {"as-is", "serial"}
    assert comparison.plans[2].rehearsal == comparison.plans[0].rehearsal
    assert "again is the same plan as as-is" in comparison_lines(comparison, 80)


def test_progress_is_that_of_the_whole_comparison(tmp_path: Path, monkeypatch):
    plans, profile = two_plans(tmp_path)
    monkeypatch.setattr(rehearse_module, "TOLD_EVERY_S", 0.0)
    told = []
    compare(plans, profile, on_progress=lambda name, progress: told.append((name, progress)))
    assert [one.done for _, one in told] == sorted(one.done for _, one in told)
    assert {one.planned for _, one in told} == {80}
    assert told[-1][0] == "serial"
    assert told[-1][1].done == 80


def played(name, tmp_path, *, seconds=10.0, warnings=(), mode="fixed", **counts) -> Compared:
    """Return a plan whose rehearsal has these figures."""
    made = rehearsed(simulated(tmp_path), instances=1)
    unanswered = counts.pop("unanswered", 0)
    rehearsal = msgspec.structs.replace(
        made, duration_s=seconds, unanswered=unanswered, requests=counts, rate_mode=mode
    )
    return Compared(name=name, rehearsal=rehearsal, warnings=warnings)


def chosen(*plans: Compared) -> tuple[str, str]:
    comparison = with_choice(Comparison(plans=plans))
    return comparison.choose, comparison.why


def test_the_quickest_that_breaks_nothing_is_chosen(tmp_path: Path):
    quick = played("quick", tmp_path, seconds=5, ok=98, rate_limited=7)
    lossy = played("lossy", tmp_path, seconds=4, ok=98, unanswered=2)
    sound, slow = played("sound", tmp_path, seconds=20, ok=100), played("slow", tmp_path, seconds=90, ok=100)
    assert chosen(quick, slow, sound, lossy) == (
        "sound",
        "choose sound: 20 s, the quickest that breaks nothing; lossy takes 4 s, with 2 tests without an answer",
    )
    assert chosen(quick, lossy) == (
        "quick",
        "choose quick: 5 s; every policy breaks something, this one least, with 7 requests answered 429",
    )
    assert chosen(sound) == ("sound", "choose sound: 20 s")
    warned = played("warned", tmp_path, seconds=20, ok=100, warnings=("idle-key",))
    assert chosen(warned, sound)[0] == "sound"  # as quick, and nothing to warn of
    assert chosen(slow, warned)[0] == "warned"


def test_adaptive_mode_may_be_refused_a_little_as_that_is_how_it_finds_limits(tmp_path: Path):
    found = played("found", tmp_path, mode="adaptive", ok=2000, rate_limited=12)
    storm = played("storm", tmp_path, seconds=1, mode="adaptive", ok=2000, rate_limited=50)
    slow = played("slow", tmp_path, seconds=30, mode="adaptive", ok=2000)
    assert breaks(found) == ()
    assert breaks(storm) == ("50 requests answered 429",)
    choose, why = chosen(storm, found, slow)
    assert choose == "found"
    assert "(12 requests answered 429 while it finds the limits); storm takes 1 s, with 50" in why


def test_what_is_refused_is_listed_with_its_reason(tmp_path: Path):
    comparison = Comparison(
        plans=(played("as-is", tmp_path, ok=5),), refused=(Refused(name="serial", reason="that is why"),)
    )
    assert "refused: serial: that is why" in comparison_lines(comparison, 80)


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
    assert "ended while as-is was rehearsed" in "\n".join(comparison_lines(comparison, 80))
    assert with_choice(comparison).choose == ""
