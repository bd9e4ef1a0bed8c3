"""Every wrong profile gets a located, friendly error and exit code 2, and never shows a key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import main
from console.profile import load_profile
from console.vocabulary.errors import ConsoleError, Problems

Write = Callable[..., str]
OPEN_AZURE = "fixed = { workers = 50 }"
LAB_KEYS = 'keys = { key0 = "env:LAB_KEY_0", key1 = "env:LAB_KEY_1" }'
REFERENCE = "write where it is found: env:NAME, file:PATH, cmd:COMMAND or keyring:SERVICE/USER"
NAME_RULE = "a name (1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit)"
NOT_A_REFERENCE = f"the value is not a reference, and a key itself never stands in a profile ({REFERENCE})"

WRONG = [
    # old text, new text, what is said behind the file's name
    (
        OPEN_AZURE,
        "fixed = { workers = 'many' }",
        "26: limits.azure.open.fixed.workers: 'many' is not a whole number ≥ 1",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = -3 }",
        "26: limits.azure.open.fixed.workers: -3 is not a whole number ≥ 1",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = 1.5 }",
        "26: limits.azure.open.fixed.workers: 1.5 is not a whole number ≥ 1",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = true }",
        "26: limits.azure.open.fixed.workers: true is not a whole number ≥ 1",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = 0 }",
        (
            "26: limits.azure.open.fixed.workers: 0 is not a whole number ≥ 1"
            " (a model is switched off by off = true)"
        ),
    ),
    (OPEN_AZURE, "fixed = { qps = 5 }", "26: limits.azure.open.fixed.workers: is missing"),
    (
        OPEN_AZURE,
        "fixed = { workers = 1, qps = 0 }",
        "26: limits.azure.open.fixed.qps: 0 is not a number > 0 (leave it out for no limit)",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = 1, qps = inf }",
        "26: limits.azure.open.fixed.qps: inf is not a number > 0 (leave it out for no limit)",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = 1, qps = nan }",
        "26: limits.azure.open.fixed.qps: nan is not a number > 0",
    ),
    (
        OPEN_AZURE,
        "fixed = { workers = 1, qps = '5' }",
        "26: limits.azure.open.fixed.qps: '5' is not a number > 0",
    ),
    (OPEN_AZURE, "fixed = 5", "26: limits.azure.open.fixed: 5 is not a table"),
    (
        OPEN_AZURE,
        "fixed = { worker = 5 }",
        "26: limits.azure.open.fixed.worker: unknown key (did you mean workers?)",
    ),
    (
        "[limits.azure.open]",
        "[limits.azure.opne]",
        (
            "25: limits.azure.opne: unknown key (did you mean open?)\n"
            "25: limits.azure.open: is missing: model 'V3' is azure/open (such as fixed = { workers = 10 })"
        ),
    ),
    (
        "[timeouts]",
        "[limits.labs.open]\nfixed = { workers = 1 }\n[timeouts]",
        "33: limits.labs: there is no provider 'labs' (did you mean lab?)",
    ),
    (
        "[limits.lab.open]",
        "[limits.lob.open]",
        "29: limits.lob: there is no provider 'lob' (did you mean lab?)",
    ),
    (
        "[timeouts]",
        "[limits.elsewhere.open]\nfixed = { workers = 1 }\n[timeouts]",
        "33: limits.elsewhere: there is no provider 'elsewhere' (known: azure, lab)",
    ),
    (
        "[limits.azure.open]",
        '[limits.azure.open]\nper = "test"',
        "26: limits.azure.open.per: 'test' is not 'lane' or 'job'",
    ),
    (
        "[limits.azure.open]",
        "[limits.azure.open]\nprompt_multiplier = 3",
        "26: limits.azure.open.prompt_multiplier: 3 is not true or false",
    ),
    (
        'rate_mode = "fixed"',
        'rate_mode = "fast"',
        "2: rate_mode: 'fast' is not 'fixed' or 'adaptive'",
    ),
    (
        'base_url = "env:LAB_URL"',
        'base_url = "env:LAB_URL"\nprotocol = "json"',
        "13: providers.lab.protocol: 'json' is not 'tools' or 'text'",
    ),
    (
        '[models."qwen2.5"]',
        '[models."qwen2.5"]\nprotocol = true',
        "22: models.\"qwen2.5\".protocol: true is not 'tools' or 'text'",
    ),
    ('name = "x"', 'name = "../x"', f"1: name: '../x' is not {NAME_RULE}"),
    ('name = "x"', 'nmae = "x"', "1: nmae: unknown key (did you mean name?)"),
    ('api = "azure"', 'api = "azur"', "5: providers.azure.api: 'azur' is not 'openai', 'azure' or 'sim'"),
    (
        'base_url = "https://example.openai.azure.com"\n',
        "",
        '4: providers.azure.base_url: is missing (api = "azure" needs one: a URL or env:NAME)',
    ),
    (
        'api_version = "2024-12-01-preview"\n',
        "",
        '4: providers.azure.api_version: is missing (api = "azure" needs one, such as "2024-12-01-preview")',
    ),
    (
        "https://example.openai.azure.com",
        "https://me:hunter2@example.com",
        "6: providers.azure.base_url: the value holds a credential; keys belong into `keys`, by reference",
    ),
    (
        "https://example.openai.azure.com",
        "example.com",
        "6: providers.azure.base_url: the value is not an http:// or https:// URL",
    ),
    (
        "https://example.openai.azure.com",
        "https://example.com?key=hunter2",
        "6: providers.azure.base_url: the value is a base URL: it takes no spaces, no `?` and no `#`",
    ),
    (
        "https://example.openai.azure.com",
        "https://example.com:99999",
        "6: providers.azure.base_url: the value is not a URL",
    ),
    ("env:LAB_URL", "env:LAB URL", "12: providers.lab.base_url: the value is not env:NAME"),
    ("env:AZURE_OPENAI_API_KEY", "sk-hunter2", f"8: providers.azure.keys.key0: {NOT_A_REFERENCE}"),
    (
        'key0 = "env:AZURE_OPENAI_API_KEY"',
        'key0 = { secret = "sk-hunter2" }',
        f"8: providers.azure.keys.key0.secret: {NOT_A_REFERENCE}",
    ),
    (
        "env:AZURE_OPENAI_API_KEY",
        "env:sk-hunter2",
        f"8: providers.azure.keys.key0: the value is not a well-formed reference ({REFERENCE})",
    ),
    (
        '{ key0 = "env:AZURE_OPENAI_API_KEY" }',
        '"sk-hunter2"',
        "8: providers.azure.keys: the value is not a table",
    ),
    (
        '{ key0 = "env:AZURE_OPENAI_API_KEY" }',
        '["sk-hunter2"]',
        (
            '8: providers.azure.keys: a list of names is for api = "sim"; here each key needs a reference'
            ' (keys = { key0 = "env:NAME" })'
        ),
    ),
    (
        'key0 = "env:AZURE_OPENAI_API_KEY"',
        'key0 = { base_url = "https://h/v1" }',
        "8: providers.azure.keys.key0.secret: is missing (such as env:NAME)",
    ),
    (
        'key0 = "env:AZURE_OPENAI_API_KEY"',
        "key0 = 12345678",
        "8: providers.azure.keys.key0: the value is not a table",
    ),
    (
        'key0 = "env:AZURE_OPENAI_API_KEY"',
        '"key 0" = "env:A"',
        f'8: providers.azure.keys."key 0": the key is not {NAME_RULE}',
    ),
    (
        "keys_off",
        'api_key = "sk-hunter2"\nkeys_off',
        '14: providers.lab.api_key: unknown key (keys = { key0 = "env:NAME" })',
    ),
    (
        'keys_off = ["key1"]',
        'keys_off = ["key2"]',
        "14: providers.lab.keys_off[0]: names no key of the provider (did you mean key1?)",
    ),
    (
        'keys_off = ["key1"]',
        'deployments_off = ["qwen2.6"]',
        "14: providers.lab.deployments_off[0]: there is no deployment 'qwen2.6' (did you mean qwen2.5?)",
    ),
    (
        'keys_off = ["key1"]',
        "burst = -1",
        "14: providers.lab.burst: -1 is not a number ≥ 0",
    ),
    (
        'keys_off = ["key1"]',
        'limits_as = "azur"',
        "14: providers.lab.limits_as: there is no limits table 'azur' (did you mean azure?)",
    ),
    (
        'keys_off = ["key1"]',
        "limits = { key = { workers = 0 } }",
        "14: providers.lab.limits.key.workers: 0 is not a whole number ≥ 1 (leave it out for no limit)",
    ),
    (
        'keys_off = ["key1"]',
        "limits = { keys = { qps = 1 } }",
        "14: providers.lab.limits.keys: unknown key (did you mean key?)",
    ),
    (
        'keys_off = ["key1"]',
        "guess = { ttft = 1 }",
        "14: providers.lab.guess.ttft: unknown key (did you mean ttft_ms?)",
    ),
    (
        'keys_off = ["key1"]',
        "sim = { ttft_ms = '80', itl_ms = true, slots = 0, slot = 1, error_rate = 2 }",
        (
            "14: providers.lab.sim.slots: 0 is not a number ≥ 1\n"
            "14: providers.lab.sim.error_rate: 2 is not a number ≤ 1\n"
            "14: providers.lab.sim.slot: unknown key (did you mean slots?)\n"
            "14: providers.lab.sim.ttft_ms: '80' is not a number\n"
            "14: providers.lab.sim.itl_ms: true is not a number"
        ),
    ),
    (
        'provider = "azure"\nclass = "open"',
        'provider = "azuer"\nclass = "open"',
        "17: models.V3.provider: there is no provider 'azuer' (did you mean azure?)",
    ),
    (
        'provider = "azure"\nclass = "open"',
        'class = "open"',
        "16: models.V3.provider: is missing",
    ),
    (
        'provider = "azure"\nclass = "open"',
        'provder = "azure"\nclass = "open"',
        "17: models.V3.provder: unknown key (did you mean provider?)",
    ),
    (
        'provider = "azure"\nclass = "open"',
        'provider = "azure"\nclass = "opened"',
        "18: models.V3.class: 'opened' is not 'open' or 'closed'",
    ),
    (
        '["V3", "V3-2"]',
        '["V3", "V3"]',
        "19: models.V3.deployments[1]: deployment 'V3' at 'azure' is named twice",
    ),
    ('["V3", "V3-2"]', "[]", "19: models.V3.deployments: is empty; at least one is needed"),
    ('["V3", "V3-2"]', '["V3", 2]', "19: models.V3.deployments[1]: 2 is not a table"),
    (
        '["V3", "V3-2"]',
        '["V3", { name = "V4", provider = "azure-eu" }]',
        "19: models.V3.deployments[1].provider: there is no provider 'azure-eu' (did you mean azure?)",
    ),
    (
        '["V3", "V3-2"]',
        '["V3", { name = "qwen2.5", provider = "lab" }]',
        "21: models.\"qwen2.5\": deployment 'qwen2.5' at 'lab' already belongs to model 'V3'",
    ),
    (
        '["V3", "V3-2"]',
        '["V 3"]',
        "19: models.V3.deployments[0]: 'V 3' is not a name (1 to 200 characters without spaces or commas)",
    ),
    (
        '[models."V3"]',
        '[models."V 3"]',
        '16: models."V 3": the key is not a name (1 to 200 characters without spaces or commas)',
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nkeys = ["key0", "key7", "key0"]',
        (
            '23: models."qwen2.5".keys[1]: names no key of the provider (did you mean key1?)\n'
            '23: models."qwen2.5".keys[2]: names a key twice'
        ),
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nsplit = "one-key"',
        '21: models."qwen2.5".key: is missing (split = "one-key" needs the key, such as key = "key0")',
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nsplit = "one-key"\nkey = "sk-hunter2"',
        '24: models."qwen2.5".key: names no key of the provider (known: key0, key1)',
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nkeys = ["key0"]\nkey = "key1"',
        '24: models."qwen2.5".key: is not among the model\'s `keys`',
    ),
    (
        'provider = "lab"',
        'provider = "lab"\nsplit = "pul"',
        "23: models.\"qwen2.5\".split: 'pul' is not 'pull', 'even', 'one-key' or 'lease'",
    ),
    (
        'keys_off = ["key1"]',
        'keys_off = ["key1"]\nlease = { to = "group", holders = 0 }',
        (
            "15: providers.lab.lease.to: 'group' is not 'job' or 'model'\n"
            "15: providers.lab.lease.holders: 0 is not a whole number ≥ 1"
        ),
    ),
    (
        'provider = "lab"',
        'provider = "lab"\noff = "yes"',
        "23: models.\"qwen2.5\".off: 'yes' is not true or false",
    ),
    (
        "fixed = { workers = 2, qps = 5 }\n",
        "",
        "29: limits.lab.open.fixed: is missing: model 'qwen2.5' is lab/open (the rate mode is fixed)",
    ),
    ("connect = 10", "connect = 0", "34: timeouts.connect: 0 is not a number > 0"),
    ("connect = 10", "conect = 10", "34: timeouts.conect: unknown key (did you mean connect?)"),
    ("connect = 10", "connect = 1979-05-27", "34: timeouts.connect: 1979-05-27 is not a number > 0"),
    (
        "connect = 10",
        "[retries]\nattempts = 0",
        "35: retries.attempts: 0 is not a whole number from 1 to 100",
    ),
    (
        "connect = 10",
        "[start]\nshard_delays = [0, -1]",
        "35: start.shard_delays[1]: -1 is not a number ≥ 0",
    ),
    ("connect = 10", "[start]\nshard_delays = 5", "35: start.shard_delays: 5 is not a list"),
    ("connect = 10", "connect 10", "34: is not TOML: Expected '=' after a key in a key/value pair, column 9"),
    ("connect = 10", 'connect = "10', "34: is not TOML: "),
    ("connect = 10", "connect = 10\nconnect = 11", "35: is not TOML: Cannot overwrite a value"),
    ("connect = 10", "connect = [[[", "35: is not TOML: Invalid value"),
    ("connect = 10", "connect = " + "9" * 5000, " is not TOML: it holds a number with too many digits"),
]


def said_by(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    with pytest.raises(SystemExit) as left:
        main(argv)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return int(left.value.code or 0), err.replace("ultra-console: ", "").splitlines()


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[f"{i:02}" for i in range(len(WRONG))])
def test_a_wrong_profile_is_refused_where_it_is_wrong(
    profile_file: Write, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: str
) -> None:
    path = profile_file((old, new))
    code, lines = said_by(["profile", "show", path], capsys)
    assert code == 2
    text = "\n".join(lines)
    assert "hunter2" not in text
    wanted = [f"{path}:{line}" for line in expected.split("\n")]
    if expected.endswith((": ", "alue")):  # the rest is tomllib's own wording
        assert text.startswith(wanted[0])
    else:
        assert lines == wanted


def test_all_problems_are_said_at_once_in_the_order_of_the_file(profile_file: Write) -> None:
    path = profile_file(
        ('api = "openai"', 'api = "opneai"'),
        ("fixed = { workers = 50 }", "fixed = { workers = 'many' }"),
        ('provider = "lab"', 'provider = "lap"'),
        ("connect = 10", "connect = -1"),
    )
    with pytest.raises(Problems) as caught:
        load_profile(path)
    assert [(one.line, one.path) for one in caught.value.problems] == [
        (11, "providers.lab.api"),
        (22, 'models."qwen2.5".provider'),
        (26, "limits.azure.open.fixed.workers"),
        (34, "timeouts.connect"),
    ]


def test_two_models_may_not_share_a_deployment(profile_file: Write) -> None:
    path = profile_file(
        (
            "[timeouts]",
            '[models.other]\nprovider = "azure"\nclass = "open"\ndeployments = ["V3-2"]\n[timeouts]',
        )
    )
    with pytest.raises(Problems, match="deployment 'V3-2' at 'azure' already belongs to model 'V3'"):
        load_profile(path)


@pytest.mark.parametrize("table", ["providers", "models", "limits"])
def test_a_profile_without_its_main_tables_says_which(tmp_path: Path, table: str) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("# nothing\n")
    with pytest.raises(Problems) as caught:
        load_profile(str(path))
    assert f"{path}: {table}: is missing" in caught.value.lines()


NO_LIMITS = """\
[limits.azure.open]
fixed = { workers = 50 }
adaptive = { workers = 100 }

[limits.lab.open]
fixed = { workers = 2, qps = 5 }
adaptive = { workers = 3 }

"""


def test_a_profile_without_any_limits_is_told_once_how_to_write_them(profile_file: Write) -> None:
    with pytest.raises(Problems) as caught:
        load_profile(profile_file((NO_LIMITS, "")))
    assert [line.partition("x.toml")[2] for line in caught.value.lines()] == [
        ": limits: is missing (write [limits.azure.open] and [limits.lab.open] with fixed = { workers = 10 })"
    ]
    with pytest.raises(Problems) as caught:
        load_profile(profile_file((NO_LIMITS, ""), ('keys_off = ["key1"]', 'limits_as = "azure"')))
    assert [line.partition("x.toml")[2] for line in caught.value.lines()] == [
        ": limits: is missing (write [limits.azure.open] with fixed = { workers = 10 })"
    ]
    adaptive = ('rate_mode = "fixed"', 'rate_mode = "adaptive"')
    with pytest.raises(Problems, match=r"\[limits\.lab\.open\] with adaptive = { workers = 10 }"):
        load_profile(profile_file((NO_LIMITS, ""), adaptive))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [("", "limits: 5 is not a table"), (".azure", "limits.azure: 5 is not a table")],
)
def test_what_is_below_a_value_that_is_no_table_is_not_said_to_be_missing(
    profile_file: Write, limits: str, expected: str
) -> None:
    lab = "limits.lab.open.fixed.workers = 2\n" if limits else ""
    path = profile_file((NO_LIMITS, ""), ('name = "x"', f'name = "x"\nlimits{limits} = 5\n{lab}'))
    with pytest.raises(Problems) as caught:
        load_profile(path)
    assert caught.value.lines() == [f"{path}:2: {expected}"]


def test_a_limits_table_that_a_provider_borrows_needs_no_provider_of_its_name(profile_file: Write) -> None:
    borrows = ('keys_off = ["key1"]', 'limits_as = "shared"')
    table = ("[limits.lab.open]", "[limits.shared.open]")
    assert load_profile(profile_file(borrows, table)).profile.limits["shared"].open is not None
    with pytest.raises(Problems) as caught:  # said once: where it is borrowed
        load_profile(profile_file(borrows, ("[limits.lab.open]", "[limits.shred.open]")))
    assert [(one.path, one.hint) for one in caught.value.problems] == [
        ("providers.lab.limits_as", "did you mean shred?")
    ]


OVERRIDES = [
    (
        "limits.azure.open.fixed.workers=many",
        "--set limits.azure.open.fixed.workers: 'many' is not a whole number ≥ 1",
    ),
    ("limits.azure.open.fixed.workers=", "--set limits.azure.open.fixed.workers: is missing"),
    (
        "limits.azure.open.fixed.worker=1",
        "--set limits.azure.open.fixed.worker: unknown key (did you mean workers?)",
    ),
    (
        "limits.azur.open.fixed.workers=7",
        "--set limits.azur.open.fixed.workers: there is no provider 'azur' (did you mean azure?)",
    ),
    (
        "limits.azure.open.fixed.qsp=",
        "--set limits.azure.open.fixed.qsp: unknown key (did you mean qps?)",
    ),
    ("providers.labs=", "--set providers.labs: is not there (did you mean lab?)"),
    (
        "limit.azure.open.fixed.workers=1",
        "--set limit.azure.open.fixed.workers: unknown key (did you mean limits?)",
    ),
    ("limits.azure.open.fixed.workers", "--set: is not PATH=VALUE (limits.azure.open.fixed.workers=20)"),
    ("=5", "--set: is not PATH=VALUE (limits.azure.open.fixed.workers=20)"),
    ("a..b=5", "--set: is not PATH=VALUE (limits.azure.open.fixed.workers=20)"),
    ("name.x=5", "--set name: is not a table: set it as a whole"),
    ("models.V3.deployments.0=5", "--set models.V3.deployments: is not a table: set it as a whole"),
    ("providers.azure.keys.key0=sk-hunter2", f"--set providers.azure.keys.key0: {NOT_A_REFERENCE}"),
    ("providers.azure.keys.key0=sk hunter2 =\n[x]", f"--set providers.azure.keys.key0: {NOT_A_REFERENCE}"),
    (
        "models.qwen2.5.provider=lap",
        "--set models.\"qwen2.5\".provider: there is no provider 'lap' (did you mean lab?)",
    ),
    ("rate_mode=quick", "--set rate_mode: 'quick' is not 'fixed' or 'adaptive'"),
]


@pytest.mark.parametrize(("override", "expected"), OVERRIDES, ids=[one for one, _ in OVERRIDES])
def test_a_wrong_override_is_located_at_its_flag(
    profile_file: Write, capsys: pytest.CaptureFixture[str], override: str, expected: str
) -> None:
    code, lines = said_by(["profile", "show", profile_file(), "--set", override], capsys)
    assert (code, lines) == (2, [expected])


def test_a_wrong_rate_mode_in_the_environment_is_located_there(
    profile_file: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATE_MODE", "quick")
    code, lines = said_by(["profile", "show", profile_file()], capsys)
    assert (code, lines) == (2, ["environment RATE_MODE: 'quick' is not fixed or adaptive"])


def test_hostile_text_in_a_profile_does_not_reach_the_terminal(
    profile_file: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile_file(('api = "openai"', 'api = "\\u001b[2Jx"'))
    _, lines = said_by(["profile", "show", path], capsys)
    assert lines == [f"{path}:11: providers.lab.api: '␛x' is not 'openai', 'azure' or 'sim'"]


UNREADABLE = [
    ("missing.toml", "there is no such file"),
    ("folder.toml", "is a directory, not a file"),
    ("loop.toml", "cannot be read: Too many levels of symbolic links"),
    ("pipe.toml", "is not a regular file"),
    ("large.toml", "is larger than 1 MB"),
    ("deep.toml", "is nested too deep"),
    ("nul\0.toml", "cannot be read: embedded null byte"),
]


@pytest.mark.parametrize(("name", "expected"), UNREADABLE, ids=[one[:4] for one, _ in UNREADABLE])
def test_what_is_no_readable_file_is_said_so(tmp_path: Path, name: str, expected: str) -> None:
    import os

    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    (tmp_path / "deep.toml").write_text("a = " + "[" * 20_000 + "]" * 20_000)
    path = f"{tmp_path}/{name}"
    with pytest.raises(ConsoleError) as caught:
        load_profile(path)
    assert (caught.value.where, caught.value.message, caught.value.exit_code) == (path, expected, 2)


def test_a_file_that_is_not_utf8_is_located_at_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "x"\ndescription = "caf\xe9"\n')
    with pytest.raises(ConsoleError) as caught:
        load_profile(str(path))
    assert caught.value.lines() == [f"{path}:2: is not UTF-8 text (byte 0xe9)"]
