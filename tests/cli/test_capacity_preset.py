"""`capacity preset`: listed, shown and run."""

from __future__ import annotations

import json
from pathlib import Path

from commands import ultra, ultra_here


def test_presets_are_listed_with_what_they_need():
    code, out, _ = ultra_here("capacity", "preset", "list")
    assert code == 0
    assert "stability          capacity run --qps N --concurrency N" in out
    code, out, _ = ultra_here("capacity", "preset", "list", "--json")
    rows = {row["id"]: row for row in map(json.loads, out.splitlines())}
    assert (len(rows), rows["content"]["scenario"], rows["stability"]["needs"]) == (
        8,
        True,
        ["qps", "concurrency"],
    )


def test_a_preset_shows_the_command_line_that_it_is():
    code, out, _ = ultra_here(
        "capacity",
        "preset",
        "stability",
        "--qps",
        "10",
        "--concurrency",
        "120",
        "-p",
        "sim",
        "--show",
        "--model",
        "a b",
    )
    assert code == 0
    assert out == (
        "ultra-console capacity run --max-concurrency 96 --request-rate 8 --arrival poisson --num-prompts 14400 "
        "-p sim --model 'a b'\n"
    )
    code, _, err = ultra_here("capacity", "preset", "stability", "--qps", "10")
    assert (code, "needs --concurrency" in err) == (2, True)
    code, _, err = ultra_here("capacity", "preset", "--model", "m")
    assert (code, "name comes first" in err) == (2, True)


def test_a_preset_runs_and_what_is_said_beside_it_takes_the_place_of_its_own(tmp_path: Path):
    code, out, err = ultra(
        "capacity", "preset", "customer-service", "--profile", "sim", "--model", "gpt-4o-mini", "--num-prompts", "12",
        "--request-rate", "60", "--random-output-len", "4", "--json", "--out", str(tmp_path),
    )  # fmt: skip
    assert code == 0, err
    assert "Customer service: ultra-console capacity run --max-concurrency 50 --request-rate 20" in err
    result = json.loads(out.splitlines()[-1])
    assert (result["completed"], result["request_rate"], result["max_concurrency"]) == (12, 60, 50)
    assert result["total_input_tokens"] == 12 * 256


def test_a_detached_preset_runs_as_well(tmp_path: Path):
    code, out, err = ultra(
        "capacity", "preset", "quick-check", "--profile", "sim", "--model", "gpt-4o-mini", "--random-output-len", "2",
        "--random-input-len", "8", "--detach", "--out", str(tmp_path),
    )  # fmt: skip
    assert code == 0, err
    assert "runs in the background" in out
