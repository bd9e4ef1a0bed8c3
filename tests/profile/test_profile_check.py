"""What is valid and hardly meant is found; how two profiles differ is told by meaning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.profile import CHECKS, DiffRow, builtin_names, check, diff, load_profile

Write = Callable[..., str]
ENVIRONMENT = dict.fromkeys(("AZURE_OPENAI_API_KEY", "LAB_URL", "LAB_KEY_0", "LAB_KEY_1"), "set")
LAB_OFF = 'keys_off = ["key1"]'

SUSPICIOUS = [
    # old, new, check, path, message, is a warning
    (
        "adaptive = { workers = 100 }",
        "adaptive = { workers = 40 }",
        "adaptive-below-fixed",
        "limits.azure.open.adaptive.workers",
        "the ceiling 40 is below fixed, 50",
        True,
    ),
    (
        "adaptive = { workers = 3 }",
        "adaptive = { workers = 3, rpm = 9 }",
        "adaptive-below-fixed",
        "limits.lab.open.adaptive.rpm",
        "the ceiling 9 is below fixed, none",
        True,
    ),
    (
        "adaptive = { workers = 3 }\n",
        "",
        "mode-missing",
        "limits.lab.open",
        "has no adaptive limits: it cannot run in that rate mode",
        True,
    ),
    (
        LAB_OFF,
        'keys_off = ["key0", "key1"]',
        "no-lanes",
        'models."qwen2.5"',
        "has no lane: its keys are all off",
        False,
    ),
    (
        LAB_OFF,
        'deployments_off = ["qwen2.5"]',
        "no-lanes",
        'models."qwen2.5"',
        "has no lane: its deployments are all off",
        False,
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nsplit = "one-key"\nkey = "key1"',
        "key-moved",
        'models."qwen2.5".key',
        "its key, key1, is off; key0 is used, as it has the fewest models",
        True,
    ),
    (
        LAB_OFF,
        LAB_OFF + "\nlimits = { key = { qps = 2 } }",
        "gate-below-lane",
        "providers.lab.limits.key",
        "key lab/key0: 2 qps, and one lane on it may send 5",
        False,
    ),
    (
        LAB_OFF,
        "limits = { provider = { qps = 9 } }",
        "gate-oversubscribed",
        "providers.lab.limits.provider",
        "provider lab: 9 qps, and the lanes of qwen2.5 may send 10",
        False,
    ),
    (
        LAB_OFF,
        "limits = { model = { qps = 9 } }",
        "gate-oversubscribed",
        "providers.lab.limits.model",
        "model qwen2.5: 9 qps, and the lanes of qwen2.5 may send 10",
        False,
    ),
    (LAB_OFF, "limits = { key = {} }", "unused", "providers.lab.limits.key", "limits nothing", False),
    (
        LAB_OFF,
        "sim = { slots = 3 }",
        "unused",
        "providers.lab.sim",
        'is read only where api = "sim"; here it is "openai"',
        False,
    ),
    (LAB_OFF, '[providers.spare]\napi = "sim"', "unused", "providers.spare", "no model is there", False),
    (
        "[timeouts]",
        "[limits.lab.closed]\nfixed = { workers = 1 }\nadaptive = { workers = 1 }\n[timeouts]",
        "unused",
        "limits.lab.closed",
        "no model is lab/closed",
        False,
    ),
    (
        'key1 = "env:LAB_KEY_1" }\nkeys_off = ["key1"]',
        'key1 = "env:LAB_KEY_0" }',
        "same-key-twice",
        "providers.lab.keys.key1",
        "is the same key as key0",
        False,
    ),
    (
        "connect = 10",
        "first_token = 400",
        "timeouts",
        "timeouts.first_token",
        "400 s is longer than total, 300 s",
        False,
    ),
    (
        "https://example.openai.azure.com",
        "http://example.openai.azure.com",
        "plain-http",
        "providers.azure.base_url",
        "keys would travel unencrypted to another machine",
        False,
    ),
    ('name = "x"', 'name = "y"', "name", "name", "says 'y', and is found as 'x'", False),
    (
        "env:LAB_URL",
        "env:LAB_URI",
        "env-unset",
        "providers.lab.base_url",
        "environment variable LAB_URI is not set here",
        True,
    ),
    (
        "env:LAB_KEY_0",
        "env:LAB_KEY_9",
        "env-unset",
        "providers.lab.keys.key0",
        "environment variable LAB_KEY_9 is not set here",
        True,
    ),
    (
        "[limits.azure.open]\nfixed = { workers = 50 }\nadaptive = { workers = 100 }",
        "[limits.azure.open]\nprompt_multiplier = true\nfixed = { workers = 50 }\nadaptive = { workers = 200 }",
        "multiplier",
        "models.V3",
        "adaptive: 3 prompt types in a job make 1200 workers",
        False,
    ),
]


def test_the_valid_profile_is_not_suspicious(profile_file: Write) -> None:
    assert check(load_profile(profile_file()), ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("old", "new", "name", "path", "message", "warning"),
    SUSPICIOUS,
    ids=[f"{row[2]}-{i}" for i, row in enumerate(SUSPICIOUS)],
)
def test_what_is_hardly_meant_is_found_and_located(
    profile_file: Write, old: str, new: str, name: str, path: str, message: str, warning: bool
) -> None:
    loaded = load_profile(profile_file((old, new)))
    (finding,) = check(loaded, ENVIRONMENT)
    problem = finding.problem(loaded)
    assert (finding.check, problem.path, finding.message, finding.warning) == (name, path, message, warning)
    assert problem.line is not None


def test_every_check_that_is_named_is_one_that_is_tested() -> None:
    assert {row[2] for row in SUSPICIOUS} == set(CHECKS)


def test_several_models_over_a_gate_are_a_warning() -> None:
    loaded = load_profile("phase-analysis", ["providers.ideallab.limits.key.qps=3"])
    found = [(one.check, one.message, one.warning) for one in check(loaded) if one.check != "env-unset"]
    assert found == [
        ("gate-oversubscribed", "key ideallab/key0: 3 qps, and 6 models on it may send 4 at once", True),
        ("gate-oversubscribed", "key ideallab/key1: 3 qps, and 2 models on it may send 4 at once", True),
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_no_built_in_profile_fails_the_check_and_two_are_odd_as_their_seeds_say(name: str) -> None:
    found = [one for one in check(load_profile(name)) if one.check != "env-unset"]
    assert [one for one in found if not one.warning] == []
    odd = {
        "corrected-0824": [("adaptive-below-fixed", ("limits", "ideallab", "open", "adaptive", "workers"))],
        "ultra-0827": [("key-moved", ("models", "qwen2.5-14b-instruct", "key"))],
    }
    assert [(one.check, one.path) for one in found] == odd.get(name, [])


def test_profiles_differ_by_meaning_and_by_totals(profile_file: Write) -> None:
    left = load_profile(profile_file()).profile
    right = load_profile(
        profile_file(("workers = 50", "workers = 60"), (LAB_OFF, ""), ("connect = 10", "idle = 5"))
    ).profile
    found = diff(left, right)
    assert found.settings == (
        DiffRow("providers.lab.keys_off", "[key1]", "[]"),
        DiffRow("limits.azure.open.fixed.workers", "50", "60"),
        DiffRow("timeouts.idle", "30", "5"),
    )
    assert found.totals == (
        DiffRow("fixed V3 workers", "100", "120"),
        DiffRow("fixed qwen2.5 lanes", "1", "2"),
        DiffRow("fixed qwen2.5 workers", "2", "4"),
        DiffRow("fixed qwen2.5 qps", "5", "10"),
        DiffRow("adaptive qwen2.5 lanes", "1", "2"),
        DiffRow("adaptive qwen2.5 workers", "3", "6"),
    )


def test_ways_of_writing_the_same_are_no_difference(profile_file: Write) -> None:
    left = load_profile(profile_file(), ["description=one"]).profile
    right = load_profile(
        profile_file(
            ('key0 = "env:AZURE_OPENAI_API_KEY"', 'key0 = { secret = "env:AZURE_OPENAI_API_KEY" }'),
            ('provider = "lab"', 'provider = "lab"\nsplit = "pull"\ndeployments = ["qwen2.5"]\noff = false'),
            ("connect = 10", "connect = 10.0\nidle = 30"),
            ('rate_mode = "fixed"\n', ""),
        )
    ).profile
    assert diff(left, right).same


def test_the_order_of_models_is_part_of_the_meaning(profile_file: Write) -> None:
    left = load_profile(profile_file()).profile
    models = dict(reversed(left.models.items()))
    found = diff(left, left.model_copy(update={"models": models}))
    assert found.settings == (DiffRow("order of models", "V3, qwen2.5", "qwen2.5, V3"),)


def test_a_limit_and_no_limit_differ(profile_file: Write) -> None:
    left = load_profile(profile_file()).profile
    right = load_profile(profile_file(), ["limits.lab.open.fixed.qps="]).profile
    found = diff(left, right)
    assert found.settings == (DiffRow("limits.lab.open.fixed.qps", "5", None),)
    assert found.totals == (DiffRow("fixed qwen2.5 qps", "5", "none"),)


def test_keys_are_compared_by_name_and_reference_once(profile_file: Write) -> None:
    left = load_profile(profile_file((LAB_OFF, ""))).profile
    key1 = 'key1 = "env:LAB_KEY_1"'
    other = 'key2 = { secret = "env:LAB_KEY_1", base_url = "https://h/v1" }'
    right = load_profile(profile_file((LAB_OFF, ""), (key1, other), ("LAB_KEY_0", "LAB_KEY_9"))).profile
    assert diff(left, right).settings == (
        DiffRow("providers.lab.keys.key0", "env:LAB_KEY_0", "env:LAB_KEY_9"),
        DiffRow("providers.lab.keys.key1", "env:LAB_KEY_1", None),
        DiffRow("providers.lab.keys.key2", None, "env:LAB_KEY_1 at https://h/v1"),
    )
    names = 'keys = { key0 = "env:LAB_KEY_0", key1 = "env:LAB_KEY_1" }'
    sims = [
        load_profile(profile_file((LAB_OFF, ""), ('api = "openai"', 'api = "sim"'), (names, keys))).profile
        for keys in ('keys = ["key0", "key1"]', 'keys = ["key1", "key0"]')
    ]
    assert diff(*sims).same


def test_a_sim_table_that_only_one_profile_has_is_one_line() -> None:
    found = diff(load_profile("sim").profile, load_profile("corrected-0824").profile)
    rows = [row for row in found.settings if ".sim" in row.path or ".keys" in row.path]
    assert rows == [
        DiffRow("providers.azure.keys.key0", "no reference", "env:AZURE_OPENAI_API_KEY"),
        DiffRow("providers.azure.sim", "table", None),
        DiffRow("providers.ideallab.keys.key0", "no reference", "env:LAB_KEY_0"),
        DiffRow("providers.ideallab.keys.key1", "no reference", "env:LAB_KEY_1"),
        DiffRow("providers.ideallab.keys.key2", "no reference", "env:LAB_KEY_2"),
        DiffRow("providers.ideallab.sim", "table", None),
    ]


def test_a_sim_table_of_defaults_means_the_same_as_none_and_others_differ_by_value(
    profile_file: Write,
) -> None:
    profiles = [
        load_profile(profile_file(('api = "openai"', f'api = "sim"{table}'))).profile
        for table in ("", "\nsim = { ttft_ms = 200 }", "\nsim = { ttft_ms = 90, slots = 3 }")
    ]
    assert diff(profiles[0], profiles[1]).same
    assert diff(profiles[0], profiles[2]).settings == (
        DiffRow("providers.lab.sim.ttft_ms", "200", "90"),
        DiffRow("providers.lab.sim.slots", None, "3"),
    )
