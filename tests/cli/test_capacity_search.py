"""`capacity ramp`, `target` and `resume` as they are typed: what is refused, and searches over real sockets."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from commands import end, start, ultra, ultra_here, until

from console.capacity.search_rows import rows_of_levels

SIM = ("--profile", "sim", "--model", "gpt-4o-mini")
QUICK = (
    "--random-input-len", "8", "--random-output-len", "8", "--level-seconds", "1.5", "--scan-seconds", "1",
    "--window-seconds", "0.5", "--max-ttft", "0", "--set", "providers.azure.sim.itl_ms=1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("ramp", ("--levels", "1,x"), "'1,x' is no ladder"),
        ("ramp", ("--levels", "5,2"), "'5,2' is no ladder"),
        ("ramp", ("--slo", "speed<5"), "--slo speed<5"),
        ("ramp", ("--goodput", "ttft"), "--goodput ttft"),
        ("ramp", ("--window-seconds", "70"), "must not fall"),
        ("ramp", ("--lanes", "nobody*"), "no lane of gpt-4o-mini is called 'nobody*'"),
        ("ramp", ("--result-dir", "nowhere"), "--result-dir: there is no directory nowhere"),
        ("ramp", ("--result-filename", "x.json"), "--result-filename: goes with --save-result"),
        ("target", ("--qps", "5", "--save-result", "--result-filename", "no/x.json"), "there is no directory no"),
        ("ramp", ("--apply", "sim", "--yes"), "--apply: sim is built in and stays as it is"),
        ("ramp", ("--server-metrics", "localhost:1"), "--server-metrics: 'localhost:1' is no http"),
        ("ramp", ("--base-url", "http://127.0.0.1:1/v1"), "give either --profile or --base-url"),
        ("target", (), "Missing option '--qps'"),
        ("target", ("--qps", "900", "--set", "limits.azure.closed.fixed={workers=100,qps=5}"),
         "900 requests/s are more than the quotas of the profile allow together: 5/s"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_nothing_sent(command, options, said, tmp_path: Path):
    code, out, err = ultra_here("capacity", command, *SIM, *options, "--out", "runs", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert said in err
    assert not (tmp_path / "runs").exists()


def test_there_is_nothing_to_go_on_with(tmp_path: Path):
    code, _, err = ultra_here("capacity", "resume", "no-such-run", cwd=tmp_path)
    assert code == 2
    assert "there are no runs in" in err


def test_a_ramp_writes_its_levels_its_answer_and_a_file_a_level(tmp_path: Path):
    results = tmp_path / "results"
    results.mkdir()
    code, out, err = ultra(
        "capacity", "ramp", *SIM, *QUICK, "--levels", "1,2", "--no-drift-test", "--json", "--result-dir", str(results),
        "--server-metrics", "http://127.0.0.1:9/metrics",
        "--save-result", "--result-filename", "found.json",
        "--out", str(tmp_path / "runs"),
    )  # fmt: skip
    assert code in (0, 3), err  # a busy machine is a bound client, and that is said
    assert "warning: server metrics: " in err
    rows = [json.loads(line) for line in out.splitlines()]
    pictures = [row for row in rows if row["type"] == "snapshot"]
    assert all(picture["search"]["kind"] == "ramp" for picture in pictures)
    result = next(row for row in rows if row["type"] == "search")
    assert result["simulated"]
    assert {level["concurrency"] for level in result["levels"]} == {1, 2}
    (answer,) = result["answers"]
    assert answer["state"] in ("not_limited", "client_bound", "found", "undecided", "invalid")
    (run_dir,) = (tmp_path / "runs").iterdir()
    on_disk = json.loads((run_dir / "search.json").read_bytes())
    assert on_disk["answers"] == result["answers"]
    files = {path.name: json.loads(path.read_bytes()) for path in results.iterdir()}
    saved = files.pop("found.json", None)
    assert (saved is None) == ("no result is saved" in err)
    assert saved is None or saved["ultra"]["search"] == on_disk
    assert {"concurrency_1.json", "concurrency_2.json"} <= set(files)
    assert files["concurrency_2.json"]["max_concurrency"] == 2
    assert files["concurrency_2.json"]["completed"] > 0

    code, out, _ = ultra_here("capacity", "show", str(run_dir))
    assert code == 0
    assert "in flight" in out
    assert answer["line"].split(":")[0][:30] in out
    code, out, _ = ultra_here("summary", str(run_dir))
    assert code == 0
    assert "gpt-4o-mini most C" in out


def test_a_search_that_is_killed_goes_on_at_its_level(tmp_path: Path):
    runs = tmp_path / "runs"
    began = start(
        "capacity",
        "ramp",
        *SIM,
        *QUICK,
        "--levels",
        "1,2,3,4",
        "--no-drift-test",
        "--confirm",
        "0",
        "--out",
        str(runs),
    )
    until(lambda: b'"type":"level"' in journal(runs), "the first level to be over")
    began.send_signal(signal.SIGKILL)
    end(began)
    (run_dir,) = runs.iterdir()
    before = journal(runs).count(b'{"type":"level"')
    code, out, err = ultra("capacity", "resume", str(run_dir), "--json")
    assert code in (0, 3), err
    assert "goes on with" in err
    result = next(row for row in map(json.loads, out.splitlines()) if row["type"] == "search")
    numbers = [level["number"] for level in result["levels"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert journal(runs).count(b'{"type":"level"') == len(numbers) > before, "no level is measured twice"
    prompts = [
        line.split(b'"test":"')[1].split(b'"')[0]
        for line in journal(runs).splitlines()
        if b'"request"' in line
    ]
    assert len(prompts) == len(set(prompts))
    found = [(level.outcome.number, len(level.rows)) for level in rows_of_levels(run_dir)]
    assert found == [(level["number"], level["spent_requests"]) for level in result["levels"]]
    code, _, err = ultra("capacity", "resume", str(run_dir))
    assert code == 2
    assert "is over" in err


def journal(runs: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(runs.glob("*/journal/*.jsonl")))


def test_an_answer_is_put_into_a_profile_after_showing_how(tmp_path: Path):
    from console.cli.search_apply import workers_draft
    from console.vocabulary.lane import Lane

    code, _, err = ultra_here("profile", "new", "mine", "--from", "sim", XDG_CONFIG_HOME=str(tmp_path))
    assert code == 0, err
    path = next(tmp_path.rglob("mine.toml"))
    lanes = [Lane("azure", "DeepSeek-V3-0324", f"DeepSeek-V3-0324{end}", "key0") for end in ("", "-2", "-3")]
    draft, lines = workers_draft(str(path), "DeepSeek-V3-0324", 100, lanes)
    assert draft.changed
    assert any("workers: 50 -> 33" in line for line in lines)
    assert any("100 requests over 3 lanes" in line for line in lines)
    assert any("get them as well" in line for line in lines)
    assert "workers = 33" in draft.rewritten().text
