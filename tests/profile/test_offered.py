"""What was found becomes settings that a profile takes: one safe figure for all lanes of a class."""

from __future__ import annotations

import json
import shlex
import time

import pytest

from console.cli.profile_learnt import known_lanes
from console.profile import load_profile
from console.profile.offered import lane_places_of, offers
from console.records.learnt_store import KnownLane, LearntStore
from console.vocabulary.learnt import Learnt

NOW_S = 2_000_000_000.0


def found(**figures) -> Learnt:
    return Learnt(at_s=NOW_S, **figures)


def of(profile_file, learnt, *replacements):
    profile = load_profile(profile_file(*replacements)).profile
    return offers(profile, list(lane_places_of(profile)), learnt)


def test_the_least_of_the_lanes_counts_and_rates_are_rounded_down(profile_file):
    (offer,) = of(
        profile_file,
        {
            "azure/V3@key0": found(requests_per_s=9.99, tokens_per_s=1000.0, window=40),
            "azure/V3-2@key0": found(requests_per_s=12.0, window=31),
        },
    )
    assert offer.settings == (
        ("limits.azure.open.fixed.workers", 31),
        ("limits.azure.open.fixed.qps", 9.4),
        ("limits.azure.open.fixed.tpm", 57_000.0),
    )
    assert offer.lanes == 2


@pytest.mark.parametrize(
    ("rate", "offered"), [(0.0123, 0.011), (0.2, 0.19), (1.0, 0.95), (10.0, 9.5), (123.4, 110.0)]
)
def test_rates_of_all_sizes_are_rounded_to_two_digits(profile_file, rate: float, offered: float):
    (offer,) = of(profile_file, {"lab/qwen2.5@key0": found(requests_per_s=rate)})
    assert offer.settings == (("limits.lab.open.fixed.qps", offered),)


def test_the_flags_are_taken_by_the_profile_that_they_are_for(profile_file):
    learnt = {"lab/qwen2.5@key0": found(requests_per_s=3.0, window=7)}
    (offer,) = of(profile_file, learnt)
    texts = [word for word in shlex.split(offer.flags) if word != "--set"]
    limits = load_profile(profile_file(), texts).profile.limits["lab"].open
    assert limits is not None
    assert limits.fixed is not None
    assert (limits.fixed.workers, limits.fixed.qps) == (7, 2.8)


def test_it_says_where_figures_are_multiplied_and_where_they_do_not_suffice(profile_file):
    rate = {"azure/V3@key0": found(requests_per_s=3.0)}
    window = {"azure/V3@key0": found(window=3)}
    only_adaptive = ("fixed = { workers = 50 }\nadaptive = { workers = 100 }", "adaptive = { workers = 100 }")
    assert "need workers" in of(profile_file, rate, ('rate_mode = "fixed"', 'rate_mode = "adaptive"'), only_adaptive)[0].notes[0]  # fmt: skip
    multiplied = ("adaptive = { workers = 100 }", "adaptive = { workers = 100 }\nprompt_multiplier = true")
    assert "prompt types" in of(profile_file, window, multiplied)[0].notes[0]
    of_jobs = ("adaptive = { workers = 100 }", 'adaptive = { workers = 100 }\nper = "job"')
    assert "each job" in of(profile_file, window, of_jobs)[0].notes[0]


def test_of_what_met_nothing_there_is_no_offer(profile_file):
    assert of(profile_file, {"azure/V3@key0": found()}) == []


def kept(
    deployment="qwen2.5", url="http://lab/v1", source="env:LAB_KEY_0", at_s=NOW_S, **figures
) -> KnownLane:
    return KnownLane(
        provider="any", model="any", deployment=deployment, key="any", base_url=url, key_source=source,
        learnt=Learnt(at_s=at_s, **figures),
    )  # fmt: skip


def test_a_lane_is_known_by_server_deployment_and_where_its_key_is_found(profile_file, monkeypatch):
    entries = [
        kept(window=1, at_s=NOW_S - 9),
        kept(window=2),  # the key behind the variable is a new one
        kept(window=3, url="http://another/v1"),
        kept(window=4, source="env:ANOTHER"),
        kept(window=5, deployment="another"),
    ]
    monkeypatch.setenv("LAB_URL", "http://LAB:80/v1/")
    profile = load_profile(profile_file()).profile
    known = known_lanes(list(lane_places_of(profile)), entries)
    assert {lane_id: entry.learnt.window for lane_id, entry in known.items()} == {"lab/qwen2.5@key0": 2}
    monkeypatch.delenv("LAB_URL")
    entries = [kept(window=7, url="http://wherever/v1")]
    known = known_lanes(list(lane_places_of(profile)), entries)
    assert known["lab/qwen2.5@key0"].learnt.window == 7


def test_the_command_shows_table_and_flags(profile_file, capsys):
    from console.cli import main

    now_s = time.time()
    entries = {
        "1": kept("V3", "https://example.openai.azure.com", "env:AZURE_OPENAI_API_KEY", now_s - 240,
                  requests_per_s=9.99, tokens_per_s=1000.0, window=40, capped=True),
        "2": kept("V3-2", "https://example.openai.azure.com", "env:AZURE_OPENAI_API_KEY", now_s - 7200,
                  requests_per_s=12.0),
    }  # fmt: skip
    LearntStore().put(entries, now_s)
    with pytest.raises(SystemExit) as left:
        main(["profile", "learnt", profile_file()])
    out = capsys.readouterr().out
    assert left.value.code == 0
    assert out.startswith(TABLE)
    assert max(map(len, out.splitlines()[:8])) <= 130
    with pytest.raises(SystemExit):
        main(["profile", "learnt", profile_file(), "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["learnt", "learnt", "offer"]
    assert lines[0]["tokens_per_min"] == 60_000.0


TABLE = """\
lane             requests/s  tokens/min  in flight      found
azure/V3@key0          9.99      60,000     40 cap  4 min ago
azure/V3-2@key0          12           -          -    2 h ago

offered to the profile: the least of the lanes, 95% of its rates, rounded down
  --set limits.azure.open.fixed.workers=40 --set limits.azure.open.fixed.qps=9.4 --set limits.azure.open.fixed.tpm=57000
"""
