"""Rehearsals in adaptive mode: the quota that a profile guesses is a limit that the engine has to find."""

from __future__ import annotations

from pathlib import Path

import pytest
from rehearsal_rig import guessed, prepared

from console.phases.selection import Selection
from console.rehearsal.rehearse import rehearse
from console.rehearsal.text import rehearsal_lines
from console.run import RunRequest, prepare

GUESS = """\
[providers.lab.guess]
ttft_ms = 500
itl_ms = 10
output_tokens = 100
key_qps = {qps}
"""


def adaptive(folder: Path, qps: float, workers: int, instances: int, keys: str):
    profile = guessed(folder, GUESS.format(qps=qps))
    profile.write_text(
        profile.read_text().replace("workers = 2", f"workers = {workers}")
        + f"adaptive = {{ workers = {workers} }}\n"
    )
    return prepare(
        RunRequest(
            profile=str(profile),
            rate_mode="adaptive",
            overrides=(keys,),
            selection=Selection(models=("one",), instances=instances),
        )
    )


def test_a_guessed_quota_is_found_and_said(tmp_path: Path):
    ready = adaptive(tmp_path, 10, 100, 400, 'models.one.keys=["key0"]')
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert (rehearsal.rate_mode, rehearsal.answered, rehearsal.unanswered) == ("adaptive", 2000, 0)
    (found,) = rehearsal.found
    assert (found.lane, found.requests) == ("lab/one@key0", 2000 + rehearsal.rate_limited)
    assert found.met_per_s == pytest.approx(10, rel=0.1)
    assert found.per_s == pytest.approx(10, rel=0.15)
    assert 0 < found.rate_limited == rehearsal.rate_limited <= 0.02 * 2000
    assert rehearsal.duration_s <= 2000 / 10 / 0.9
    lines = rehearsal_lines(rehearsal, 80)
    title = lines.index("Adaptive lanes in the end (SIMULATED): limits set, and limits met")
    assert lines[title + 1].split() == ["lane", "requests", "429s", "req/s", "at", "once", "met", "/s", "met"]
    assert lines[title + 2].split()[:3] == ["lab/one@key0", str(found.requests), str(found.rate_limited)]
    assert max(map(len, lines)) <= 80
    assert rehearsal.assumptions[-1] == "adaptive lanes begin with nothing learnt from an earlier run"


def test_each_key_has_a_limit_of_its_own_to_find(tmp_path: Path):
    ready = adaptive(tmp_path, 4, 60, 300, "models.one.split=pull")
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert [one.lane for one in rehearsal.found] == ["lab/one@key0", "lab/one@key1"]
    for one in rehearsal.found:
        assert one.met_per_s == pytest.approx(4, rel=0.15)
    assert rehearsal.duration_s <= 1500 / 8 / 0.85


def test_a_limit_that_is_never_met_is_not_found(tmp_path: Path):
    ready = adaptive(tmp_path, 1000, 5, 40, "models.one.split=pull")
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert rehearsal.rate_limited == 0
    assert {(one.met_per_s, one.in_flight) for one in rehearsal.found} == {(None, 5)}


def test_fixed_mode_finds_nothing(tmp_path: Path):
    ready = prepared(guessed(tmp_path))
    assert rehearse(ready.plan, ready.loaded.profile).found == ()
