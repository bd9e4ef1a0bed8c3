"""What profiles come to: the tables of A1 and A4, and how lanes and gates are made of a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.profile import (
    builtin_names,
    effective_lines,
    lane_setups,
    load_profile,
    split_rule,
    split_rules,
    timeouts,
    totals,
    usable_keys,
)
from console.profile.table import cells
from console.vocabulary.chat import Timeouts
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Limits, RateMode, Scope, ScopedLimits, SplitRule

Write = Callable[..., str]

OPEN = [
    "DeepSeek-V3-0324",
    "DeepSeek-R1-0528",
    "qwen2.5-72b-instruct",
    "qwen2.5-32b-instruct",
    "qwen2.5-14b-instruct",
    "qwen2.5-7b-instruct",
    "qwen2.5-3b-instruct",
    "Llama-3.3-70B-Instruct",
]
CLOSED = [
    "gpt-4o-mini",
    "gpt-5-mini",
    "o3-0416-global",
    "gemini-2.5-flash-06-17",
    "kimi-k2",
    "claude_sonnet4",
]
MEMBERS = {
    "azure/open": [OPEN[0], OPEN[1], OPEN[7]],
    "ideallab/open": OPEN[2:7],
    "azure/closed": CLOSED[:2],
    "ideallab/closed": CLOSED[2:],
}
BOTH: tuple[RateMode, ...] = ("fixed", "adaptive")

# profile, rate mode, prompt types -> lanes, workers and qps of a model: azure/open, ideallab/open, azure/closed, ideallab/closed
A1_A4 = [
    ("corrected-0824", "fixed", 1, (3, 150, None), (3, 6, None), (1, 100, None), (1, 1, None)),
    ("corrected-0824", "adaptive", 1, (3, 300, None), (3, 3, None), (1, 200, None), (1, 1, None)),
    ("corrected-0824-batch", "fixed", 1, (1, 50, None), (1, 2, None), (1, 50, None), (1, 2, None)),
    ("corrected-0824-batch", "adaptive", 1, (1, 100, None), (1, 5, None), (1, 100, None), (1, 5, None)),
    ("summary-0819", "fixed", 1, (3, 300, 600), (3, 9, None), (1, 200, None), (1, 1, 5)),
    ("summary-0819", "adaptive", 1, (3, 300, 600), (3, 15, None), (1, 200, None), (1, 1, 10)),
    ("summary-0819", "adaptive", 2, (3, 300, 600), (3, 15, None), (1, 400, None), (1, 1, 10)),
    ("summary-0819", "adaptive", 3, (3, 300, 600), (3, 15, None), (1, 600, None), (1, 1, 10)),
    ("ultra-0827", "fixed", 1, (3, 300, 600), (1, 1, 5), (1, 200, 400), (1, 1, 5)),
    ("ultra-0827", "adaptive", 1, (3, 300, 600), (1, 1, 5), (1, 200, 400), (1, 1, 5)),
    ("phase-analysis", "fixed", 1, (1, 50, None), (1, 1, 2), (1, 100, None), (1, 1, None)),
    ("repaired", "fixed", 1, (3, 150, None), (3, 9, None), (1, 100, None), (1, 1, None)),
    ("repaired", "adaptive", 1, (3, 300, None), (3, 9, None), (1, 200, None), (1, 1, None)),
    ("sim", "fixed", 1, (3, 150, None), (3, 6, None), (1, 100, None), (1, 1, None)),
]


@pytest.mark.parametrize("row", A1_A4, ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in A1_A4])
def test_a_built_in_profile_comes_to_the_figures_of_the_seeds(row: tuple) -> None:
    name, mode, prompt_types, *figures = row
    profile = load_profile(name).profile
    found = totals(lane_setups(profile, rate_mode=mode, prompt_types=prompt_types), split_rules(profile))
    by_model = {total.model: (total.lanes, total.workers, total.qps) for total in found}
    for members, expected in zip(MEMBERS.values(), figures, strict=True):
        assert {by_model[model] for model in members} == {expected}


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_profiles_hold_all_models_in_launch_order_with_their_classes(name: str) -> None:
    loaded = load_profile(name)
    assert loaded.builtin
    assert loaded.profile.name == name
    assert list(loaded.profile.models) == [*OPEN, *CLOSED]
    classes = {
        total.model: f"{total.provider}/{total.model_class}" for total in totals(lane_setups(loaded.profile))
    }
    assert classes == {model: kind for kind, models in MEMBERS.items() for model in models}


def test_the_built_in_profiles_are_those_of_the_mission_and_sim_comes_first() -> None:
    assert builtin_names() == [
        "sim",
        "corrected-0824",
        "corrected-0824-batch",
        "phase-analysis",
        "repaired",
        "summary-0819",
        "ultra-0827",
    ]
    assert load_profile("repaired").profile.rate_mode == "adaptive"


def test_ultra_0827_has_no_lane_on_key2_and_counts_qwen_per_job() -> None:
    profile = load_profile("ultra-0827").profile
    setups = lane_setups(profile)
    assert {setup.lane.key for setup in setups if setup.lane.provider == "ideallab"} == {"key0", "key1"}
    assert {setup.per for setup in setups if setup.lane.model.startswith("qwen")} == {"job"}
    assert {setup.per for setup in setups if not setup.lane.model.startswith("qwen")} == {"lane"}
    assert split_rule(profile, "qwen2.5-32b-instruct") == SplitRule("one-key", "key1")


def test_phase_analysis_has_the_size_map_and_ten_qps_a_key() -> None:
    profile = load_profile("phase-analysis").profile
    keys = [split_rule(profile, model).key for model in OPEN[2:7]]
    assert keys == ["key0", "key1", "key2", "key0", "key1"]
    gate = ScopedLimits(Scope("key", "ideallab/key0"), Limits(qps=10))
    sharing = [setup.lane.model for setup in lane_setups(profile) if gate in setup.outer]
    assert sharing == [*OPEN[2:7], *CLOSED[2:]]


def test_lanes_come_model_by_model_then_deployment_then_key(profile_file: Write) -> None:
    path = profile_file(
        ('deployments = ["V3", "V3-2"]', 'deployments = ["b", { name = "a", provider = "lab" }]'),
        ('keys_off = ["key1"]', ""),
    )
    assert [setup.lane.id for setup in lane_setups(load_profile(path).profile)] == [
        "azure/b@key0",
        "lab/a@key0",
        "lab/a@key1",
        "lab/qwen2.5@key0",
        "lab/qwen2.5@key1",
    ]


def test_what_is_switched_off_has_no_lane(profile_file: Write) -> None:
    path = profile_file(('keys_off = ["key1"]', 'keys_off = ["key0", "key1"]'))
    profile = load_profile(path, ['providers.azure.deployments_off=["V3"]']).profile
    assert [setup.lane.id for setup in lane_setups(profile)] == ["azure/V3-2@key0"]
    assert usable_keys(profile, "qwen2.5", "lab") == []
    off = load_profile(path, ["models.V3.off=true"]).profile
    assert lane_setups(off) == ()


def test_a_provider_without_keys_has_one_nameless_key() -> None:
    profile = load_profile("sim", ["providers.azure.keys="]).profile
    assert lane_setups(profile)[0].lane.id == "azure/DeepSeek-V3-0324@-"


def test_limits_as_lends_the_class_table_of_another_provider(profile_file: Write) -> None:
    path = profile_file(
        ('["V3", "V3-2"]', '["V3", { name = "V3", provider = "azure-eu" }]'),
        ("[providers.lab]", '[providers.azure-eu]\napi = "sim"\nlimits_as = "azure"\n[providers.lab]'),
    )
    setups = lane_setups(load_profile(path).profile, models=["V3"])
    assert [(setup.lane.id, setup.limits.workers) for setup in setups] == [
        ("azure/V3@key0", 50),
        ("azure-eu/V3@-", 50),
    ]


def test_outer_gates_are_attached_by_scope_and_the_models_gate_is_its_home_providers(
    profile_file: Write,
) -> None:
    path = profile_file(
        ('["V3", "V3-2"]', '["V3", { name = "v", provider = "lab" }]'),
        (
            'api = "azure"',
            (
                'api = "azure"\nburst = 2\ntpm_accounting = "actual"\n'
                "limits = { provider = { workers = 9 }, key = { qps = 8 }, deployment = { rpm = 7 }, model = { tpm = 6 } }"
            ),
        ),
    )
    first, second = lane_setups(load_profile(path).profile, models=["V3"])
    assert first.outer == (
        ScopedLimits(Scope("provider", "azure"), Limits(workers=9)),
        ScopedLimits(Scope("key", "azure/key0"), Limits(qps=8)),
        ScopedLimits(Scope("deployment", "azure/V3"), Limits(rpm=7)),
        ScopedLimits(Scope("model", "V3"), Limits(tpm=6)),
    )
    assert (first.burst, first.tpm_accounting) == (2, "actual")
    assert second.outer == (ScopedLimits(Scope("model", "V3"), Limits(tpm=6)),)


def test_gates_hold_down_the_qps_a_model_comes_to() -> None:
    profile = load_profile(
        "sim", ["providers.ideallab.limits={ key = { qps = 4 }, model = { rpm = 600 } }"]
    ).profile
    row = next(row for row in totals(lane_setups(profile)) if row.model == OPEN[2])
    assert (row.qps, row.qps_bound) == (None, 10)


def test_only_workers_are_multiplied_and_only_where_the_class_says_so(profile_file: Write) -> None:
    path = profile_file(("[limits.lab.open]", "[limits.lab.open]\nprompt_multiplier = true"))
    profile = load_profile(path).profile
    limits = {setup.lane.model: setup.limits for setup in lane_setups(profile, prompt_types=3)}
    assert limits == {"V3": Limits(workers=50), "qwen2.5": Limits(workers=6, qps=5)}
    with pytest.raises(ValueError, match="at least 1"):
        lane_setups(profile, prompt_types=0)


def test_models_are_chosen_by_name_in_the_profiles_order(profile_file: Write) -> None:
    profile = load_profile(profile_file()).profile
    chosen = lane_setups(profile, models=["qwen2.5", "V3"])
    assert [setup.lane.model for setup in chosen] == ["V3", "V3", "qwen2.5"]
    with pytest.raises(ConsoleError) as caught:
        lane_setups(profile, models=["qwen2"])
    assert caught.value.lines() == ["profile x has no model 'qwen2'", "  hint: did you mean qwen2.5?"]


def test_a_rate_mode_without_limits_is_an_error_in_words(profile_file: Write) -> None:
    profile = load_profile(profile_file(("adaptive = { workers = 3 }\n", ""))).profile
    with pytest.raises(
        ConsoleError, match=r"limits\.lab\.open\.adaptive is missing, and the rate mode is adaptive"
    ):
        lane_setups(profile, rate_mode="adaptive")


@pytest.mark.parametrize(
    ("flag", "override", "variable", "expected"),
    [
        (None, [], None, ("adaptive", "profile")),
        (None, [], "", ("adaptive", "profile")),
        (None, [], "fixed", ("fixed", "environment")),
        (None, ["rate_mode=adaptive"], "fixed", ("adaptive", "flag")),
        ("fixed", ["rate_mode=adaptive"], "adaptive", ("fixed", "flag")),
    ],
)
def test_a_flag_beats_the_environment_and_that_the_profile(
    flag: str | None, override: list[str], variable: str | None, expected: tuple[str, str]
) -> None:
    environ = {} if variable is None else {"RATE_MODE": variable}
    loaded = load_profile("repaired", override, rate_mode=flag, environ=environ)
    assert (loaded.profile.rate_mode, loaded.rate_mode_from) == expected
    setups = lane_setups(loaded.profile)
    assert setups[0].limits.workers == (50 if expected[0] == "fixed" else 100)


def test_an_empty_override_lifts_a_limit(profile_file: Write) -> None:
    profile = load_profile(profile_file(), ["limits.lab.open.fixed.qps="]).profile
    assert lane_setups(profile, models=["qwen2.5"])[0].limits == Limits(workers=2)


def test_timeouts_have_the_clients_defaults(profile_file: Write) -> None:
    path = profile_file(("connect = 10", "first_token = 2"))
    assert timeouts(load_profile(path).profile) == Timeouts(first_token=2)


@pytest.mark.parametrize("name", builtin_names())
def test_the_effective_table_fits_80_columns_and_names_models_in_full(name: str) -> None:
    lines = effective_lines(load_profile(name).profile, prompt_types=3)
    assert max(map(cells, lines)) <= 80
    assert [line.split()[0] for line in lines[1:]] == [*OPEN, *CLOSED]


def test_the_effective_table_cuts_long_names_and_says_what_a_mode_lacks(profile_file: Write) -> None:
    long = "a-model-with-a-very-long-name/" * 6
    path = profile_file(('[models."V3"]', f'[models."{long}"]'), ("adaptive = { workers = 3 }\n", ""))
    lines = effective_lines(load_profile(path, ['models."qwen2.5".off=true']).profile)
    assert max(map(cells, lines)) <= 80
    assert "…" in lines[1]
    assert lines[2].split() == ["qwen2.5", "lab/open", "off", "off"]
