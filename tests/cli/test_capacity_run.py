"""`capacity run`: what its options exclude, and levels that are really driven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Simulator, ultra, ultra_here

SIM = ("--profile", "sim", "--model", "gpt-4o-mini")
MEASURED = (0, 3)
"""Exit codes of a level that was driven in full: 3 where this machine was too busy for its clock to be right."""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--arrival", "poisson"), "--arrival needs a rate"),
        (("--request-rate", "3", "--arrival", "constant", "--burstiness", "2"), "goes with --arrival gamma"),
        (("--ramp-up-strategy", "linear"), "needs --ramp-up-start-rps and --ramp-up-end-rps"),
        (("--ramp-up-end-rps", "5"), "go with --ramp-up-strategy"),
        (("--request-rate", "3", "--ramp-up-strategy", "linear"), "either --request-rate or --ramp-up-strategy"),
        (("--ramp-up-strategy", "exponential", "--ramp-up-start-rps", "0", "--ramp-up-end-rps", "5"), "only a linear ramp"),
        (("--ramp-up-strategy", "linear", "--ramp-up-start-rps", "0", "--ramp-up-end-rps", "5", "--num-warmups", "2"), "which is 0"),
        (("--random-range-ratio", "1"), "--random-range-ratio"),
        (("--prefix-len", "5", "--shared-prefix", "0.5"), "either --random-prefix-len or --shared-prefix"),
        (("--dataset-output-len", "5"), "goes with --dataset"),
        (("--tokenizer", "none.json"), "no such tokenizer file"),
        (("--goodput", "speed:5"), "no such figure: speed"),
        (("--percentile-metrics", "ttft,speed"), "no such metric: speed"),
        (("--metric-percentiles", "50,101"), "'101' is not a percentage"),
        (("--metadata", "nothing"), "is not KEY=VALUE"),
        (("--metadata", "duration=5"), "duration is a name of the result's own"),
        (("--slo", "ttft_p95>5ms"), "is better when it is less"),
        (("--server-metrics", "localhost:8000"), "--server-metrics: 'localhost:8000' is no http"),
        (("--append-result", "--result-dir", "nowhere"), "there is no directory nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_nothing_sent(options, said, tmp_path: Path):
    code, out, err = ultra_here("capacity", "run", *SIM, *options, "--out", "runs", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert said in err
    assert not (tmp_path / "runs").exists()


def result_of(out: str) -> dict:
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_ramp_with_warm_ups_is_sent_in_full_and_measured_without_them(processes, tmp_path: Path):
    code, out, err = ultra(
        "capacity", "run", *SIM, "--ramp-up-strategy", "linear", "--ramp-up-start-rps", "10", "--ramp-up-end-rps", "90",
        "--arrival", "constant", "--num-prompts", "50", "--num-warmups", "5", "--random-input-len", "16",
        "--random-output-len", "4", "--random-range-ratio", "0.5", "--processes", processes, "--metadata", "tp=2",
        "--goodput", "ttft:60000", "--json", "--out", str(tmp_path),
    )  # fmt: skip
    assert code in MEASURED, err
    result = result_of(out)
    assert (result["num_prompts"], result["completed"], result["ultra"]["warm_ups"]) == (50, 50, 5)
    assert (result["request_rate"], result["ramp_up_end_rps"], result["tp"]) == ("inf", 90, "2")
    assert result["ultra"]["goodput"]["share"] == 1
    assert 50 * 8 <= result["total_input_tokens"] <= 50 * 24
    rows = [
        json.loads(line)
        for path in tmp_path.glob("*/journal/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    due = {int(one["test"].split("/")[1]): one["due_ns"] for one in rows if one["type"] == "request"}
    assert sorted(due) == list(range(55))
    offsets = [(due[index] - due[4]) / 1e9 for index in range(5, 55)]
    assert offsets[-1] == pytest.approx(1.0, abs=1e-6), "50 requests at 50 a second on average"
    first_half = sum(at <= 0.5 + 1e-9 for at in offsets)
    assert first_half == 15, "the integral of 10 + 80 t over half a second"


def test_results_are_added_to_a_file_with_their_details(tmp_path: Path):
    with Simulator("--ttft-ms", "5", "--itl-ms", "1") as simulator:
        for _ in range(2):
            code, _, err = ultra(
                "capacity", "run", "--base-url", simulator.url, "--model", "m", "--max-concurrency", "4",
                "--num-prompts", "20", "--random-input-len", "8", "--random-output-len", "4", "--append-result",
                "--save-detailed", "--result-dir", str(tmp_path), "--result-filename", "all.json", "--label", "mine",
                "--out", str(tmp_path / "runs"),
            )  # fmt: skip
            assert code == 0, err
    results = [json.loads(line) for line in (tmp_path / "all.json").read_text().splitlines()]
    assert [result["label"] for result in results] == ["mine", "mine"]
    assert all(len(result["ttfts"]) == 20 for result in results)


def test_sharegpt_is_asked_up_to_the_first_answer(tmp_path: Path):
    turns = [
        {"from": "human", "value": "one two three"},
        {"from": "gpt", "value": "one two three four five six"},
    ]
    (tmp_path / "s.json").write_text(json.dumps([{"conversations": turns}, {"conversations": []}]))
    code, out, err = ultra(
        "capacity", "run", *SIM, "--dataset", "s.json", "--num-prompts", "3", "--max-concurrency", "1", "--json", "--out",
        "runs", cwd=tmp_path,
    )  # fmt: skip
    assert code == 0, err
    assert "1 conversations ask nothing" in err
    assert "1 prompts are repeated to make 3" in err
    result = result_of(out)
    assert (result["completed"], result["total_input_tokens"]) == (3, 9)


def test_what_the_server_says_of_itself_stands_beside(tmp_path: Path):
    with Simulator("--ttft-ms", "5", "--itl-ms", "20", "--slots", "3") as simulator:
        root = simulator.url.removesuffix("/v1")
        code, out, err = ultra(
            "capacity", "run", "--base-url", simulator.url, "--model", "m", "--max-concurrency", "8", "--num-prompts", "24",
            "--random-input-len", "8", "--random-output-len", "20", "--ignore-eos", "--server-metrics", root, "--json",
            "--out", str(tmp_path / "runs"),
        )  # fmt: skip
        assert code in MEASURED, err
        server = result_of(out)["ultra"]["server"]
        assert server["samples"] >= 2
        assert (server["running_max"], server["waiting_max"]) == (3, 5)
        code, out, err = ultra(
            "capacity", "run", "--base-url", simulator.url, "--model", "m", "--max-concurrency", "2", "--num-prompts", "4",
            "--random-output-len", "2", "--server-metrics", f"{root}/none", "--json", "--out", str(tmp_path / "runs"),
        )  # fmt: skip
    assert code in MEASURED, err
    assert any("/none answers with status 404" in note for note in result_of(out)["ultra"]["notes"])


def test_limits_of_the_user_are_judged_in_the_steady_window_and_make_the_exit_code(tmp_path: Path):
    with Simulator("--ttft-ms", "40", "--itl-ms", "2") as simulator:
        code, out, err = ultra(
            "capacity", "run", "--base-url", simulator.url, "--model", "m", "--max-concurrency", "8", "--num-prompts",
            "200", "--random-input-len", "8", "--random-output-len", "4", "--slo", "ttft_mean<1ms", "--out",
            str(tmp_path / "runs"),
        )  # fmt: skip
    assert code in (3, 4), err  # 3 where this machine is too busy to say
    assert "In the Steady Window" in out
    assert "ttft_mean < 1 ms: fail" in out
    assert out.count("Request throughput (req/s):") == 1, "scripts grep it"
