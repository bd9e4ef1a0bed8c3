"""Phase 5.2 under every plan: what plans A, B and C do to the keys, and who holds them."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from rehearsal_rig import prepared, rehearsed

from console.phases.lookahead import look_ahead
from console.phases.selection import Selection
from console.rehearsal.holders_text import holder_lines
from console.rehearsal.ledger import Ledger
from console.rehearsal.rehearse import rehearse
from console.rehearsal.text import rehearsal_lines
from console.run import RunRequest, prepare
from console.vocabulary.outcome import TERMINAL
from console.vocabulary.rows import TestRow

POLICIES = ("as-is", "serial", "batches-of-3", "key-pool")
EXACT = """\
name = "exact"
[providers.lab]
api = "sim"
keys = ["key0", "key1"]
{lease}
[providers.lab.sim]
ttft_ms = 700
ttft_spread = 0
itl_ms = 0
itl_spread = 0
[models.one]
provider = "lab"
class = "open"
deployments = ["one-a", "one-b"]
[models.two]
provider = "lab"
class = "open"
key = "key1"
[models.three]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = {{ workers = 2 }}
[start]
shard_delays = [0, 1.6, 2.3]
"""
PHASE = """\
id = "three"
models = ["one", "two", "three"]
difficulties = ["easy", "hard"]
instances = 3
[order]
together = ["model", "difficulty"]
stagger_s = {stagger_s}
policy = "key-pool"
"""


def contention(profile: str, policy: str, instances: int = 2):
    """Plan phase 5.2 with ten jobs, of ten tests where there are two instances."""
    selection = Selection(policy=policy, instances=instances)
    return prepare(RunRequest(profile=profile, phases=("5.2",), selection=selection))


@pytest.mark.parametrize("profile", ["phase-analysis", "corrected-0824", "repaired"])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_plan_answers_every_test_once_and_plan_c_keeps_models_apart(monkeypatch, profile, policy):
    answered: Counter[str] = Counter()
    flush = Ledger.flush

    def noting(ledger: Ledger) -> None:
        rows = [row for row in ledger._held if isinstance(row, TestRow)]
        answered.update(row.test for row in rows if row.verdict in TERMINAL)
        flush(ledger)

    monkeypatch.setattr(Ledger, "flush", noting)
    ready = contention(profile, policy)
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert len(ready.plan.jobs) == 10
    assert answered == Counter(test for job in ready.plan.jobs for test in job.tests)
    assert (rehearsal.answered, rehearsal.unanswered, rehearsal.rate_limited) == (100, 0, 0)
    if policy != "as-is":
        assert {load.models_at_once for load in rehearsal.keys} == {1}
    assert all(load.peak_qps <= 10 for load in rehearsal.keys)


def test_as_it_was_two_models_are_on_a_key_at_once():
    ready = contention("phase-analysis", "as-is")
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert {load.name: load.models_at_once for load in rehearsal.keys} == {
        "ideallab/key0": 2,
        "ideallab/key1": 2,
        "ideallab/key2": 1,
    }
    assert not rehearsal.leases
    assert holder_lines(rehearsal, 80) == []


def test_a_key_has_one_holder_at_a_time_and_the_next_one_at_once():
    ready = contention("corrected-0824", "key-pool", instances=6)
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    assert {span.job for span in rehearsal.leases} == {job.id for job in ready.plan.jobs}
    spans = {job.job: (job.start_s, job.end_s) for job in rehearsal.jobs}
    held = defaultdict(list)
    for span in rehearsal.leases:
        held[span.key].append(span)
        assert (span.start_s, span.end_s) == spans[span.job]
        assert span.model == span.job.split("/")[1]
    assert set(held) == {"ideallab/key0", "ideallab/key1", "ideallab/key2"}
    for turns in held.values():
        for one, following in pairwise(turns):
            staggered_s = 15 + max(
                span.start_s for span in rehearsal.leases if span.start_s < following.start_s
            )
            assert one.end_s is not None
            assert following.start_s == pytest.approx(max(one.end_s, staggered_s))


def test_the_holders_of_keys_are_drawn_as_letters_of_the_jobs():
    ready = contention("corrected-0824", "key-pool")
    lines = rehearsal_lines(rehearse(ready.plan, ready.loaded.profile), 80)
    first = next(index for index, line in enumerate(lines) if line.startswith("Holders of the keys over"))
    drawn = [line.split(" ", 1)[1] for line in lines[first + 1 : first + 4]]
    assert [line[:14] for line in lines[first + 1 : first + 4]] == [
        f"ideallab/{key} " for key in ("key0", "key1", "key2")
    ]
    assert set("".join(drawn)) <= set("abcdefghij·")
    assert set("".join(drawn)) >= set("abcdefghij")
    assert drawn[0].startswith("aaa")
    assert max(map(len, lines)) <= 80
    table = lines[lines.index("Jobs (SIMULATED)") + 2 :]
    assert [line[0] for line in table[:10]] == list("abcdefghij")


@pytest.mark.parametrize("stagger_s", [0, 1.1])
@pytest.mark.parametrize(
    "lease", ["", "[providers.lab.lease]\nholders = 2", '[providers.lab.lease]\nto = "model"']
)
def test_preflight_sees_leased_jobs_where_and_when_the_rehearsal_has_them(tmp_path: Path, lease, stagger_s):
    (tmp_path / "exact.toml").write_text(EXACT.format(lease=lease))
    (tmp_path / "three.toml").write_text(PHASE.format(stagger_s=stagger_s))
    asked = {"phases": (str(tmp_path / "three.toml"),)}
    ready = prepared(tmp_path / "exact.toml", **asked)
    seen = look_ahead(ready.plan, {setup.lane.id: 700_000_000 for setup in ready.plan.lanes})
    rehearsal = rehearsed(tmp_path / "exact.toml", **asked)
    keys = {span.job: span.key for span in rehearsal.leases}
    for job, span in zip(rehearsal.jobs, seen.jobs, strict=True):
        assert keys[job.job] == span.key
        assert job.start_s == pytest.approx(span.start_ns / 1e9, abs=0.01)
        if "model" not in lease:  # who of two jobs on one lane gets its free worker is a toss
            assert job.end_s == pytest.approx(span.end_ns / 1e9, abs=0.01)
    assert rehearsal.duration_s == pytest.approx(seen.end_ns / 1e9, abs=0.01)
