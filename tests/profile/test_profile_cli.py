"""`ultra-console profile …` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import main
from console.profile import user_profiles_dir
from console.profile.table import cells

Write = Callable[..., str]
Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *argv: str) -> tuple[int, list[str], list[str]]:
    with pytest.raises(SystemExit) as left:
        main(["profile", *argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    longer = [line for line in out.splitlines() if cells(line) > 80]
    assert "check" in argv or all(line.startswith("/") for line in longer), (
        "only paths may be longer than a line"
    )
    return int(left.value.code or 0), out.splitlines(), err.splitlines()


def test_show_prints_the_effective_table(capsys: Capture) -> None:
    code, out, err = run(capsys, "show", "corrected-0824")
    assert (code, err) == (0, [])
    assert "\n".join(out) == CORRECTED_0824


CORRECTED_0824 = """\
corrected-0824: workers of 24 August: 50 a deployment, 2 a key, no QPS limits
built-in corrected-0824 · rate mode fixed · 14 models · 30 lanes

model                   class                 fixed*   qps     adaptive   qps
DeepSeek-V3-0324        azure/open        50×3 = 150  none  100×3 = 300  none
DeepSeek-R1-0528        azure/open        50×3 = 150  none  100×3 = 300  none
qwen2.5-72b-instruct    ideallab/open        2×3 = 6  none      1×3 = 3  none
qwen2.5-32b-instruct    ideallab/open        2×3 = 6  none      1×3 = 3  none
qwen2.5-14b-instruct    ideallab/open        2×3 = 6  none      1×3 = 3  none
qwen2.5-7b-instruct     ideallab/open        2×3 = 6  none      1×3 = 3  none
qwen2.5-3b-instruct     ideallab/open        2×3 = 6  none      1×3 = 3  none
Llama-3.3-70B-Instruct  azure/open        50×3 = 150  none  100×3 = 300  none
gpt-4o-mini             azure/closed     100×1 = 100  none  200×1 = 200  none
gpt-5-mini              azure/closed     100×1 = 100  none  200×1 = 200  none
o3-0416-global          ideallab/closed      1×1 = 1  none      1×1 = 1  none
gemini-2.5-flash-06-17  ideallab/closed      1×1 = 1  none      1×1 = 1  none
kimi-k2                 ideallab/closed      1×1 = 1  none      1×1 = 1  none
claude_sonnet4          ideallab/closed      1×1 = 1  none      1×1 = 1  none

workers of a lane × lanes = total; prompt types in a job: 1
split pull: 14 models; the lanes of a model take from one queue
azure: azure, keys key0
ideallab: openai, keys key0, key1, key2
start: shards after 0, 5, 5 s; jobs 0 s apart"""


def test_show_of_one_mode_with_prompt_types(capsys: Capture) -> None:
    _, out, _ = run(capsys, "show", "summary-0819", "--rate-mode", "adaptive", "--prompt-types", "3")
    assert "built-in summary-0819 · rate mode adaptive (flag) · 14 models · 30 lanes" in out
    rows = {line.split()[0]: line.split()[2:] for line in out[4:18]}
    assert rows["gpt-4o-mini"] == ["600×1", "=", "600", "none"]
    assert rows["qwen2.5-3b-instruct"] == ["5×3", "=", "15", "none"]
    assert rows["DeepSeek-V3-0324"] == ["100×3", "=", "300", "600"]


def test_show_says_what_the_environment_chose(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_MODE", "adaptive")
    _, out, _ = run(capsys, "show", "sim")
    assert out[1] == "built-in sim · rate mode adaptive (RATE_MODE) · 14 models · 30 lanes"
    assert "adaptive*" in out[3]


def test_show_takes_overrides(capsys: Capture) -> None:
    _, out, _ = run(
        capsys,
        "show",
        "sim",
        "--set",
        "limits.azure.open.fixed.workers=20",
        "--set",
        "models.qwen2.5-72b-instruct.off=true",
        "--set",
        "providers.ideallab.limits.key.qps=1.5",
    )
    assert out[4].split()[2:5] == ["20×3", "=", "60"]
    assert out[6].split() == ["qwen2.5-72b-instruct", "ideallab/open", "off", "off"]
    assert "gate on key ideallab/key2: qps 1.5" in out


def test_show_as_json_is_json_lines_and_nothing_else(capsys: Capture) -> None:
    code, out, err = run_json(capsys, "show", "ultra-0827", "--json", "--rate-mode", "fixed")
    assert (code, err) == (0, "")
    assert out[0]["rate_mode_from"] == "flag"
    lanes = [record for record in out if record["type"] == "lane"]
    models = [record for record in out if record["type"] == "model"]
    assert (len(lanes), len(models)) == (25, 14)
    assert lanes[-1]["id"] == "ideallab/claude_sonnet4@key0"
    assert models[0]["workers"] == 300


def run_json(capsys: Capture, *argv: str) -> tuple[int, list[dict], str]:
    with pytest.raises(SystemExit) as left:
        main(["profile", *argv])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), [json.loads(line) for line in out.splitlines()], err


def test_list_shows_built_in_and_own_profiles_and_which_are_broken(
    capsys: Capture, profile_file: Write
) -> None:
    directory = user_profiles_dir()
    directory.mkdir(parents=True)
    good = Path(
        profile_file(('name = "x"', 'name = "mine"\ndescription = "two \\u001b[31mproviders"'))
    ).read_text()
    (directory / "mine.toml").write_text(good)
    (directory / "bad.toml").write_text("x")
    (directory / "sim.toml").write_text(good)
    (directory / "not a name.toml").write_text(good)
    (directory / "notes.txt").write_text("")
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert out[0].split() == ["name", "from", "description"]
    assert [line.split()[:2] for line in out[1:]] == [
        ["sim", "built-in"],
        ["corrected-0824", "built-in"],
        ["corrected-0824-batch", "built-in"],
        ["phase-analysis", "built-in"],
        ["repaired", "built-in"],
        ["summary-0819", "built-in"],
        ["ultra-0827", "built-in"],
        ["bad", "yours"],
        ["mine", "yours"],
        ["sim", "yours"],
    ]
    assert out[1].endswith("hidden by your own of that name")
    assert "broken: " in out[8]
    assert out[9].endswith("two ␛providers")
    _, records, _ = run_json(capsys, "list", "--json")
    assert [record["origin"] for record in records if record["name"] == "mine"] == [
        str(directory / "mine.toml")
    ]


def test_a_warning_is_said_and_does_not_fail_the_check(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "IDEALLAB_BASE_URL"):
        monkeypatch.setenv(name, "set")
    for index in range(2):
        monkeypatch.setenv(f"LAB_KEY_{index}", "set")
    code, out, _ = run(capsys, "check", "corrected-0824")
    assert code == 0
    assert out == [
        (
            "warning: built-in corrected-0824:22: providers.ideallab.keys.key2: "
            "environment variable LAB_KEY_2 is not set here [env-unset]"
        ),
        (
            "warning: built-in corrected-0824:108: limits.ideallab.open.adaptive.workers: "
            "the ceiling 1 is below fixed, 2 [adaptive-below-fixed]"
        ),
        "built-in corrected-0824: 2 warnings, nothing worse in 13 checks",
    ]
    monkeypatch.setenv("LAB_KEY_2", "set")
    code, records, err = run_json(capsys, "check", "corrected-0824", "--json")
    assert (code, [record["type"] for record in records]) == (0, ["warning"])
    assert err == "built-in corrected-0824: 1 warning, nothing worse in 13 checks\n"


def test_check_leaves_with_4_where_something_is_found(capsys: Capture) -> None:
    code, out, _ = run(capsys, "check", "sim", "--set", "timeouts.idle=900")
    assert code == 4
    assert out == ["--set timeouts.idle: 900 s is longer than total, 300 s [timeouts]"]
    code, records, err = run_json(capsys, "check", "sim", "--json", "--set", "timeouts.idle=900")
    assert (code, err) == (4, "")
    assert [(record["type"], record["path"]) for record in records] == [("finding", "timeouts.idle")]


def test_check_leaves_with_0_where_nothing_is_found(capsys: Capture) -> None:
    assert run(capsys, "check", "sim") == (0, ["built-in sim: nothing suspicious in 13 checks"], [])


def test_check_finds_a_profile_with_a_commands_name(capsys: Capture, profile_file: Write) -> None:
    code, out, _ = run(capsys, "check", profile_file(('name = "x"', 'name = "run"'), name="run.toml"))
    assert code == 4
    assert out[-1].endswith("'run' is a command's name [name]")


def test_diff_tells_settings_and_totals(capsys: Capture) -> None:
    code, out, _ = run(capsys, "diff", "sim", "sim")
    assert (code, out) == (0, ["the same in meaning"])
    code, out, _ = run(capsys, "diff", "corrected-0824", "repaired")
    assert code == 0
    assert out[:3] == [
        "settings that differ: 10",
        "  rate_mode: fixed → adaptive",
        '  models."qwen2.5-72b-instruct".split: pull → lease',
    ]
    assert "  providers.ideallab.limits.key.qps: (absent) → 10" in out
    assert "  fixed qwen2.5-72b-instruct workers: 6 → 9" in out
    assert run(capsys, "diff", "corrected-0824", "repaired", "--exit-code")[0] == 4
    assert run(capsys, "diff", "sim", "sim", "--exit-code")[0] == 0


def test_diff_does_not_let_the_environment_hide_a_difference(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_MODE", "adaptive")
    assert "  rate_mode: fixed → adaptive" in run(capsys, "diff", "corrected-0824", "repaired")[1]


def test_new_says_where_and_the_profile_is_there(capsys: Capture) -> None:
    code, out, err = run(capsys, "new", "mine", "--from", "repaired")
    path = user_profiles_dir() / "mine.toml"
    assert (code, "".join(out), err) == (0, str(path), ["ultra-console: written, a copy of repaired"])
    assert run(capsys, "show", "mine")[1][1] == str(path)
    code, out, err = run(capsys, "new", "mine")
    assert (code, out, err) == (2, [], [f"ultra-console: {path}: is there already; nothing was written"])


def test_new_does_not_hide_a_built_in_profile(capsys: Capture) -> None:
    code, out, err = run(capsys, "new", "sim", "--from", "repaired")
    assert (code, out) == (2, [])
    assert err == [
        "ultra-console: 'sim' is built in, and a profile of yours would hide it everywhere",
        "ultra-console:   hint: take another name, such as my-sim",
    ]
    assert not user_profiles_dir().exists()


def test_one_of_a_thing_is_said_in_the_singular(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(
        'name = "one"\n[providers.p]\napi = "sim"\n[models.m]\nprovider = "p"\nclass = "open"\n'
        "[limits.p.open]\nfixed = { workers = 1 }\n"
    )
    _, out, _ = run(capsys, "show", f"{tmp_path}/one.toml", "--rate-mode", "fixed")
    text = "\n".join(out)
    assert "1 model · 1 lane" in text
    assert "split pull: 1 model; the lanes" in text


@pytest.mark.parametrize("name", ["run", "a/b", "..", "x.toml", "-x", "", "a b", "é"])
def test_new_refuses_what_is_no_name_for_a_profile(capsys: Capture, name: str) -> None:
    code, out, err = run(capsys, "new", "--", name)
    assert (code, out) == (2, [])
    assert ("is no name for a profile" if name != "run" else "is a command's name") in err[0]
    assert not user_profiles_dir().exists()


@pytest.mark.parametrize(
    "argv",
    [
        ["show"],
        ["show", "sim", "--rate-mode", "quick"],
        ["show", "sim", "--prompt-types", "0"],
        ["show", "nowhere"],
        ["check", "nowhere"],
        ["diff", "sim", "nowhere"],
        ["new", "mine", "--from", "nowhere"],
        ["shwo"],
    ],
    ids=" ".join,
)
def test_wrong_usage_leaves_with_2(capsys: Capture, argv: list[str]) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, [])
    assert err
