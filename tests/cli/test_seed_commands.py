"""The three command lines of seed 001, behind `plan` and `run` as they stand there, and the variables of the original."""

from __future__ import annotations

import shlex

import msgspec
import pytest
from commands import ultra

from console.cli import main

FLAWS = ("flawed_sequence_disorder", "flawed_tool_misuse", "flawed_parameter_error")
SEED = {
    "base": "--model qwen2.5-72b-instruct --prompt-types optimal --num-instances 60 --rate-mode adaptive",
    "5.4": "--model qwen2.5-72b-instruct --prompt-types optimal --tool-success-rate 0.9",
    "5.3": f"--model qwen2.5-72b-instruct --prompt-types {','.join(FLAWS)}",
}


def planned(capsys, line, *more):
    with pytest.raises(SystemExit) as left:
        main(["plan", *shlex.split(line), *more, "--json"])
    out, err = capsys.readouterr()
    assert left.value.code == 0, err
    return msgspec.json.decode(out.splitlines()[0])


def ids(plan):
    return [test for job in plan["jobs"] for test in job["tests"]]


def test_the_base_command_plans_sixty_instances_of_each_task_type_in_adaptive_mode(capsys):
    plan = planned(capsys, SEED["base"])
    assert (plan["title"], plan["rate_mode"], len(plan["jobs"])) == ("ad-hoc", "adaptive", 1)
    tests = ids(plan)
    assert len(tests) == len(set(tests)) == 5 * 60
    assert {test.rpartition("/")[0] for test in tests} == {
        f"qwen2.5-72b-instruct/optimal/easy/0.8/{task_type}"
        for task_type in (
            "simple_task", "basic_task", "data_pipeline", "api_integration", "multi_stage_pipeline"
        )
    }  # fmt: skip
    assert len(plan["lanes"]) == 3  # all keys, as the seed splits over three


def test_the_command_of_5_4_has_one_rate(capsys):
    plan = planned(capsys, SEED["5.4"])
    assert {job["rate"] for job in plan["jobs"]} == {"0.9"}
    assert len(ids(plan)) == 100


def test_the_command_of_5_3_carries_its_three_flaws_in_one_job(capsys):
    plan = planned(capsys, SEED["5.3"])
    (job,) = plan["jobs"]
    assert tuple(job["prompt_types"]) == FLAWS
    assert len(ids(plan)) == 300


@pytest.mark.parametrize(("name", "count"), [("base", 300), ("5.4", 100), ("5.3", 300)])
def test_each_means_the_same_behind_run(name, count):
    from console.cli.run import HOW_IT_IS_TOLD, run
    from console.cli.selecting import run_request
    from console.prepare import prepare

    picked = run.make_context("run", shlex.split(SEED[name])).params
    request = run_request(
        **{option: value for option, value in picked.items() if option not in HOW_IT_IS_TOLD}
    )
    assert prepare(request).plan.planned == count


def test_rate_mode_of_the_environment_is_taken_and_a_flag_beats_it(capsys, monkeypatch):
    monkeypatch.setenv("RATE_MODE", "adaptive")
    assert planned(capsys, SEED["5.4"])["rate_mode"] == "adaptive"
    assert planned(capsys, SEED["5.4"], "--rate-mode", "fixed")["rate_mode"] == "fixed"


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({}, None),
        ({"DEBUG_LOG": "false", "DEBUG_PROCESS_NUM": "1"}, None),
        ({"DEBUG_PROCESS_NUM": "1"}, None),
        ({"DEBUG_LOG": "true"}, 0),
        ({"DEBUG_LOG": "True", "DEBUG_PROCESS_NUM": "1"}, 1),
        ({"DEBUG_LOG": "1", "DEBUG_PROCESS_NUM": "12"}, 12),
    ],
)
def test_the_shard_to_log_in_detail_is_taken_from_the_environment(monkeypatch, environment, shard):
    from console.cli.run import HOW_IT_IS_TOLD, run
    from console.cli.selecting import run_request

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    picked = run.make_context("run", ["--phase", "5.1"]).params
    request = run_request(
        **{option: value for option, value in picked.items() if option not in HOW_IT_IS_TOLD}
    )
    assert request.debug_shard == shard


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DEBUG_LOG": "perhaps"}, "environment: DEBUG_LOG: 'perhaps' is not true or false"),
        (
            {"DEBUG_LOG": "true", "DEBUG_PROCESS_NUM": "0"},
            "environment: DEBUG_PROCESS_NUM: '0' is not a whole number ≥ 1",
        ),
    ],
)
def test_a_wrong_variable_is_told(capsys, monkeypatch, environment, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as left:
        main(["plan", "--phase", "5.1"])
    assert left.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_run_tells_of_the_second_shard_of_each_job_in_a_log(tmp_path, processes):
    code, _, err = ultra(
        "run", "--phase", "5.1", "--model", "DeepSeek-V3-0324", "--num-instances", "2", "--out", str(tmp_path),
        "--processes", processes, DEBUG_LOG="true", DEBUG_PROCESS_NUM="2",
    )  # fmt: skip
    assert code == 0, err
    (run_dir,) = tmp_path.iterdir()
    lines = [line for path in run_dir.glob("debug*.log") for line in path.read_text().splitlines()]
    assert lines
    assert all("azure/DeepSeek-V3-0324-2@key0" in line for line in lines)
    tests = [line for line in lines if " test: " in line]
    assert 0 < len(tests) < len(lines) / 2  # of several requests each
