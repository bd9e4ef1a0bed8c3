"""The engine begins where an earlier run left off, says so, and tells what it knows with an honest age."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane

from console.vocabulary.learnt import Learnt, age_text, figures_text
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import EventRow

ID = "p/a@key0"
WALL_S = 5000.0


def play(learnt: Learnt | None, age_s: float, *, tests: int = 20, answer=None, workers: int = 50):
    setups = [msgspec.structs.replace(lane("a", workers=workers), adaptive=True)]
    client = ScriptedClient() if answer is None else ScriptedClient(answer)
    rig = Rig([job(ids(tests), setups)], setups, client)
    rig.learnt = None if learnt is None else {ID: (learnt, age_s)}
    assert rig.run() == "finished"
    said = [row.text for row in rig.journal.of(EventRow) if row.kind == "learnt"]
    return rig, said


def distances_s(rig: Rig) -> list[float]:
    return [(later - sooner) / 1e9 for (sooner, _), (later, _) in pairwise(rig.client.sent)]


def test_a_young_estimate_is_where_it_begins():
    rig, said = play(Learnt(at_s=1.0, requests_per_s=10.0, window=40), 240.0)
    assert said == ["begins at 9.5 requests/s, 40 in flight, learnt 4 min ago"]
    assert min(distances_s(rig)) == pytest.approx(1 / 9.5, rel=0.05)
    assert max(distances_s(rig)) == pytest.approx(1 / 9.5, rel=0.05)


def test_an_old_one_shortens_the_search_only():
    rig, said = play(Learnt(at_s=1.0, requests_per_s=40.0, window=40), 7200.0)
    assert said == ["begins at 10 requests/s: 40 was learnt 2 h ago"]
    assert distances_s(rig)[0] == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(("learnt", "age_s"), [(None, 0.0), (Learnt(at_s=1.0, window=4), 7200.0)])
def test_where_nothing_helps_nothing_is_said(learnt: Learnt | None, age_s: float):
    rig, said = play(learnt, age_s)
    assert said == []
    assert distances_s(rig)[0] == pytest.approx(0.5, rel=0.05)


def test_the_ceiling_of_the_profile_holds_for_what_was_learnt():
    rig, said = play(Learnt(at_s=1.0, requests_per_s=10.0, window=40), 5.0, workers=3)
    assert said == ["begins at 9.5 requests/s, 3 in flight, learnt 5 s ago"]
    assert rig.client.peak[ID] <= 3


def test_what_was_not_met_again_grows_older():
    known = Learnt(at_s=1.0, requests_per_s=100.0, window=30, k_s=20.0)
    rig, _ = play(known, 60.0, tests=5)
    assert rig.engine.learnt(WALL_S) == {ID: known}


def test_what_was_met_again_is_young():
    def answer(endpoint, request, number):
        if number == 7:
            return 0.05, {"outcome": Outcome.RATE_LIMITED, "status": 429, "error": "rate limit reached"}
        return 0.5, {}

    rig, _ = play(Learnt(at_s=1.0, requests_per_s=10.0, k_s=20.0), 60.0, answer=answer)
    assert rig.engine.learnt(WALL_S)[ID].at_s == WALL_S


def test_figures_and_ages_in_words():
    assert figures_text(Learnt(at_s=0.0)) == "no limit"
    assert (
        figures_text(Learnt(at_s=0.0, requests_per_s=9.34, tokens_per_s=200.0, window=40))
        == "9.34 requests/s, 12,000 tokens/min, 40 in flight"
    )
    assert [age_text(seconds) for seconds in (4, 240, 10_000, 86_400 * 3)] == [
        "4 s",
        "4 min",
        "3 h",
        "3 days",
    ]
