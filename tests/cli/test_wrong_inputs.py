"""Wrong inputs: a located message, exit 2, no traceback, and nothing written."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import PROFILE, ultra, ultra_here, write_profile

GOOD = PROFILE.format(url="http://127.0.0.1:9/v1", workers=2, attempts=2)


def refused(
    *arguments: str, cwd: Path, run: Callable[..., tuple[int, str, str]] = ultra_here, **environment: str
) -> str:
    """Run it, hold what every refusal has in common, and return what it said."""
    before = sorted(path for path in cwd.rglob("*"))
    code, out, err = run(*arguments, cwd=cwd, **environment)
    assert code == 2, f"{code}: {out}{err}"
    assert "Traceback" not in err
    assert not out
    assert sorted(path for path in cwd.rglob("*")) == before
    state = Path(os.environ["XDG_STATE_HOME"])
    assert not [path for path in state.rglob("*") if path.is_file()]
    return err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("workers = 2", "workers = -2"), "mine.toml:10: limits.lab.open.fixed.workers: -2 is not a whole number ≥ 1"),
        (("workers = 2", "worker = 2"), "mine.toml:10: limits.lab.open.fixed.worker: unknown key (did you mean workers?)"),
        (('"env:LAB_KEY_0"', '"sk-canary-0123456789"'), "mine.toml:5: providers.lab.keys.key0"),
        (("[models.small]", "[models.small"), "mine.toml:6: is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_located(tmp_path: Path, change, said):
    (tmp_path / "mine.toml").write_text(GOOD.replace(*change))
    err = refused("run", "--profile", "./mine.toml", "--phase", "5.1", cwd=tmp_path)
    assert said in err
    assert "canary" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--profile", "./none.toml", "--phase", "5.1"), "none.toml: there is no such file"),
        (("run", "--profile", "smi", "--phase", "5.1"), "did you mean sim?"),
        (("run", "--phase", "5.9"), "there is no phase '5.9'"),
        (("run", "--phase", "5.1", "--model", "gpt-99"), "no model 'gpt-99' in the profile"),
        (("run",), "nothing is asked for"),
        (("run", "--phase", "5.1", "--num-instances", "0"), "0 is not in the range"),
        (("run", "--phase", "5.1", "--set", "limits.azure.open.fixed.workers=many"), "'many' is not a whole number"),
        (("run", "--phase", "5.1", "--tool-success-rate", "much"), "'much' is not a number"),
        (("run", "--phase", "5.1", "--run-id", "../x"), "is no name for a run"),
        (("capacity", "run", "--model", "m"), "give either --profile or --base-url"),
        (("capacity", "run", "--model", "m", "--base-url", "ftp://x"), "--base-url"),
        (("capacity", "run", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--key", "sk-canary-012"), "--key"),
        (("capacity", "run", "--model", "m", "--profile", "sim"), "has no model 'm'"),
        (("capacity", "run", "--model", "gpt-4o-mini", "--profile", "sim", "--request-rate", "fast"), "'fast' is not a number or inf"),
        (("capacity", "run", "--model", "gpt-4o-mini", "--profile", "sim", "--dataset", "none.jsonl"), "none.jsonl: No such file"),
        (("capacity", "run", "--model", "gpt-4o-mini", "--profile", "sim", "--save-result", "--result-dir", "nowhere"), "there is no directory nowhere"),
        (("pause",), ""),
        (("summary", "none"), "there are no runs"),
        (("nonsense", "--phase", "5.1"), ""),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_answered_in_words(tmp_path: Path, arguments, said):
    err = refused(*arguments, cwd=tmp_path)
    assert said in err
    assert "canary" not in err


def test_a_process_that_refuses_says_it_on_stderr_and_leaves_with_2(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(GOOD.replace("workers = 2", "workers = -2"))
    err = refused("run", "--profile", "./mine.toml", "--phase", "5.1", cwd=tmp_path, run=ultra)
    assert (
        err == "ultra-console: ./mine.toml:10: limits.lab.open.fixed.workers: -2 is not a whole number ≥ 1\n"
    )
    assert "--num-instances" in refused("run", "--num-instances", "0", cwd=tmp_path, run=ultra)


def test_a_variable_that_is_not_set_is_named_before_anything_is_written(tmp_path: Path):
    write_profile(tmp_path, "http://127.0.0.1:9/v1")
    err = refused("run", "--profile", "./mine.toml", "--phase", "5.1", cwd=tmp_path)
    assert "LAB_KEY_0" in err
    assert "export LAB_KEY_0=" in err


def test_wrong_environment_variables_are_named(tmp_path: Path):
    assert "RATE_MODE" in refused("run", "--phase", "5.1", cwd=tmp_path, RATE_MODE="quick")
    assert "STORAGE_FORMAT" in refused("run", "--phase", "5.1", cwd=tmp_path, STORAGE_FORMAT="csv")


def test_a_run_directory_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("no directory")
    err = refused("run", "--phase", "5.1", "--out", "file/runs", cwd=tmp_path)
    assert "file" in err


def test_a_port_in_use_is_said(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in refused("simulator", "--port", str(port), cwd=tmp_path)


def test_prompts_of_a_bad_file_are_all_located(tmp_path: Path):
    (tmp_path / "p.jsonl").write_text('{"prompt": "fine"}\n{"prompt": 3}\nnot json\n')
    err = refused(
        "capacity", "run", "--model", "gpt-4o-mini", "--profile", "sim", "--dataset", "p.jsonl", cwd=tmp_path
    )
    assert "p.jsonl:2: needs `prompt`" in err
    assert "p.jsonl:3: not JSON" in err
