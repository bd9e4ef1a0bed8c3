"""`capacity export`: a search as other programs read it, with its numbers written out."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from commands import ultra_here

sys.path.append(str(Path(__file__).parents[1] / "capacity"))

from search_dir import begins, level, over, request, search_dir, started
from vllm_file import VllmResult, told

from console.vocabulary.level import Estimate, RuleOutcome
from console.vocabulary.outcome import Outcome

LEVELS = (
    level(
        1,
        4,
        metrics={"ttft_p95": Estimate(385.0, 300.5, 400.0, 4), "queue_growth": Estimate(-0.5)},
        server={"kv_cache_max": 0.5},
    ),
    level(
        2,
        8,
        validity="suspect",
        reasons=("=1+1", "a, b"),
        outcomes={"ok": 3, "server_error": 1},
        rules=(RuleOutcome(rule="success", state="fail", limit="≥ 95 %", measured="75 %"),),
    ),
)
# TTFT 100, 200, 300, 400 ms; latency 400 ms more; 11, 21, 41 and 1 tokens, so 40, 20 and 10 ms a token.
ROWS = [
    *(
        request(1, n, 250 * n, ttft_ms=100.0 * (n + 1), e2e_ms=100.0 * (n + 1) + 400, tokens=tokens, gaps=(10 * n + 10,))
        for n, tokens in enumerate((11, 21, 41, 1))
    ),
    request(1, 4, 100, outcome=Outcome.SERVER_ERROR),
]  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    rows = [started("2026-11-26T10:00:00+00:00"), begins(1), *ROWS, over(LEVELS[0])]
    return search_dir(tmp_path, [rows], LEVELS, capacity=4, goodput=(("ttft", 250.0),))


def exported(run_dir: Path, kind: str) -> str:
    code, out, err = ultra_here("capacity", "export", str(run_dir), "--format", kind)
    assert (code, err) == (0, "")
    return out


def test_aiperf_has_every_metric_that_is_defined_with_numbers_as_numpy_gives_them(run_dir: Path):
    found = json.loads(exported(run_dir, "aiperf"))
    percentiles = {
        "p1": 103,
        "p5": 115,
        "p10": 130,
        "p25": 175,
        "p50": 250,
        "p75": 325,
        "p90": 370,
        "p95": 385,
        "p99": 397,
    }
    others = {"avg": 250, "min": 100, "max": 400, "std": 111.80339887498948, "count": 4, "sum": 1000}
    ttft = found["time_to_first_token"]
    assert ttft.pop("unit") == "ms"
    assert ttft == pytest.approx({**percentiles, **others})
    latency = found["request_latency"]
    assert (latency["avg"], latency["p50"], latency["p99"]) == pytest.approx((650, 650, 797))
    itl = found["inter_token_latency"]  # of [10, 20, 40]; an answer of one token has none
    assert (itl["avg"], itl["p50"], itl["p90"], itl["count"]) == pytest.approx((70 / 3, 20, 36, 3))
    assert itl["std"] == pytest.approx(12.472191289246471)
    assert found["inter_chunk_latency"]["avg"] == pytest.approx(25)
    written, read = found["output_sequence_length"], found["input_sequence_length"]
    assert (written["unit"], written["avg"], written["p75"]) == ("tokens", 18.5, 26)
    assert (read["min"], read["max"], read["std"]) == (20, 20, 0)
    # From 0 to 750 + 800 ms: 1.55 s.
    assert found["benchmark_duration"] == {"unit": "sec", "avg": pytest.approx(1.55)}
    assert found["request_throughput"] == {"unit": "requests/sec", "avg": pytest.approx(4 / 1.55)}
    assert found["output_token_throughput"] == {"unit": "tokens/sec", "avg": pytest.approx(74 / 1.55)}
    assert found["request_count"] == {"unit": "requests", "avg": 4}
    assert found["error_request_count"] == {"unit": "requests", "avg": 1}
    assert found["good_request_count"] == {"unit": "requests", "avg": 2}
    assert found["goodput"] == {"unit": "requests/sec", "avg": pytest.approx(2 / 1.55)}
    assert (found["start_time"], found["end_time"]) == (
        "2026-11-26T10:00:00+00:00",
        "2026-11-26T10:00:01.550000+00:00",
    )
    assert found["ultra"]["level"]["number"] == 1


def test_aiperf_leaves_out_what_has_no_definition(tmp_path: Path):
    silent = [request(1, n, n, tokens=2, completion_tokens=None, gaps=()) for n in range(2)]
    rows = [started("2026-11-26T10:00:00+00:00"), *silent, over(LEVELS[0])]
    found = json.loads(exported(search_dir(tmp_path, [rows], LEVELS, capacity=4), "aiperf"))
    assert not found.keys() & {
        "inter_token_latency", "inter_chunk_latency", "output_sequence_length", "output_token_throughput", "goodput",
        "good_request_count",
    }  # fmt: skip
    assert found["time_to_first_token"]["count"] == 2


def test_csv_is_a_row_a_level_and_no_cell_is_a_formula(run_dir: Path):
    first, second = csv.DictReader(exported(run_dir, "csv").splitlines())
    assert [first[name] for name in ("concurrency", "verdict", "validity", "reasons")] == [
        "4",
        "pass",
        "valid",
        "",
    ]
    assert [first[f"ttft_p95_ms{end}"] for end in ("", "_low", "_high")] == ["385.0", "300.5", "400.0"]
    assert [first[f"success{end}"] for end in ("", "_low", "_high")] == ["1.0", "0.5", "1.0"]
    assert (first["queue_growth"], first["queue_growth_low"]) == ("-0.5", "")
    assert (first["outcome_server_error"], first["server_kv_cache_max"]) == ("0", "0.5")
    assert (second["verdict"], second["stopped_by"], second["validity"]) == ("fail", "success", "suspect")
    assert second["reasons"] == "'=1+1; a, b"
    assert (second["outcome_server_error"], second["server_kv_cache_max"], second["ttft_p95_ms"]) == (
        "1",
        "",
        "",
    )


def test_json_is_the_search_and_vllm_its_level_at_the_answer(run_dir: Path, tmp_path: Path):
    assert json.loads(exported(run_dir, "json")) == json.loads((run_dir / "search.json").read_bytes())
    out = tmp_path / "v.json"
    code, said, err = ultra_here("capacity", "export", str(run_dir), "--format", "vllm", "--out", str(out))
    assert (code, said, err) == (0, "", f"{out}\n")
    read = msgspec.json.decode(out.read_bytes(), type=VllmResult)
    assert told(read) == list(json.loads(out.read_bytes()))
    assert (read.max_concurrency, read.completed, read.failed) == (4, 4, 1)
    assert read.ultra["search"]["run_id"] == run_dir.name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "xml"), "xml"),
        (("--out", "/proc/none/x"), "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused(run_dir: Path, arguments, said):
    code, out, err = ultra_here("capacity", "export", str(run_dir), *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_search_without_a_level_at_its_answer_is_told_so(tmp_path: Path):
    run_dir = search_dir(tmp_path, [], (), state="nothing_passes")
    code, out, err = ultra_here("capacity", "export", str(run_dir), "--format", "aiperf")
    assert (code, out) == (2, "")
    assert "no level of it passes" in err
    assert exported(run_dir, "csv").splitlines() == ["run_id,model"]


def test_no_format_loads_tables_or_screens(run_dir: Path):
    script = (
        "import sys; from console.cli import main\n"
        "for kind in ('csv', 'json', 'vllm', 'aiperf'):\n"
        f"    try: main(['capacity', 'export', {str(run_dir)!r}, '--format', kind, '--out', '/dev/null'])\n"
        "    except SystemExit as end: assert not end.code\n"
        "print(*({'polars', 'textual'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == ""
