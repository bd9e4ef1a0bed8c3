"""Tables, targets and command lines of the benchmarks."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks import peers
from benchmarks.report import Part, Target, as_json, spread, summary, table
from benchmarks.sample import Sample, Seen
from benchmarks.scripts import read_script, script_name
from benchmarks.server import Logged
from benchmarks.truth import compare


def test_a_table_is_aligned():
    assert table(("what", "µs"), [["engine", "7"], ["floor", "123"]]) == [
        "what     µs",
        "------  ---",
        "engine    7",
        "floor   123",
    ]


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("ratio", 0.5, 0.5, "more"), "REACHED"),
        (Target("ratio", 0.4, 0.5, "more"), "not reached: 0.80 of the target"),
        (Target("cost", 6.0, 6.0, "less", "µs"), "REACHED"),
        (Target("cost", 12.0, 6.0, "less", "µs"), "not reached: 0.50 of the target"),
        (Target("error", 0.0, 1.0, "less", "ms"), "REACHED"),
    ],
)
def test_a_target_says_how_much_of_it_is_reached(target, verdict):
    assert target.line().endswith(verdict)


def test_the_summary_counts_and_the_file_holds_everything():
    part = Part(
        "cost", figures=[{"us": [1.5]}], targets=[Target("a", 1, 2, "more"), Target("b", 1, 2, "less")]
    )

    assert summary([part])[1] == "Targets: 1 of 2 reached"
    written = json.loads(json.dumps(as_json([part], {"cores": 2})))
    assert written["parts"] == {"cost": [{"us": [1.5]}]}
    assert [target["reached"] for target in written["targets"]] == [False, True]
    assert summary([Part("start")]) == []


def test_a_spread_shows_its_ends():
    assert spread([3.0, 1.0, 2.0]) == "2 (1–3)"


@pytest.mark.parametrize("chunks", [0, 1, 16])
def test_scripts_are_read_as_they_are_named(chunks):
    script = read_script(script_name(chunks=chunks, ttft_ms=200, itl_ms=0.5, at_once=True, log=True))

    assert script is not None
    assert (script.chunks, script.ttft_ns, script.itl_ns) == (chunks, 200_000_000, 500_000)
    assert script.at_once
    assert script.log
    assert len(script.events) == chunks


def test_the_frame_of_the_numbered_event_has_its_length():
    script = read_script("c1")
    assert script is not None
    framed = script.tail % 42
    size, _, rest = framed.partition(b"\r\n")
    assert rest[int(size, 16) :].startswith(b"\r\n")
    assert b'"id":"0000000000000042"' in rest


def test_an_unknown_script_is_none():
    assert read_script("v1") is None


def test_errors_are_client_minus_server():
    seen = Seen(number=7, sent_ns=0, chunk_ns=[12_000_000, 25_000_000, 31_000_000])
    logged = Logged(
        number=7,
        arrived_ns=1_000_000,
        due_ns=10_000_000,
        itl_ns=10_000_000,
        sent_ns=[11_000_000, 21_000_000, 30_000_000],
    )
    found = compare(Sample(1, 1.0, 0.1, seen=[seen, Seen(8, 0, [1])]), [logged])

    assert found.compared == 1
    assert (found.ttft, found.true_ttft, found.ttft_error) == ([12.0], [10.0], [1.0])
    assert found.gap_error == [3.0, 3.0]
    assert found.late == [1.0, 1.0, 0.0]


def test_every_peer_has_a_command_line_of_words():
    work = peers.Work("http://127.0.0.1:1/c16/v1", "http://127.0.0.1:1/c16", 30, 3, "folder", "tokenizer")
    for peer in peers.PEERS:
        arguments = peer.arguments(work)
        assert all(argument and not re.search(r"\s", argument) for argument in arguments), peer.name
        assert peer.short < peer.long


def test_a_tool_that_is_not_there_is_skipped_with_the_reason(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BENCH_PEERS", raising=False)
    locust = next(peer for peer in peers.PEERS if peer.program == "locust")

    assert peers.missing(locust) == "not installed"


def test_a_tool_without_its_tokenizer_says_what_to_set(monkeypatch, tmp_path):
    program = tmp_path / "vllm"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("BENCH_PEERS", str(tmp_path))
    vllm = next(peer for peer in peers.PEERS if peer.program == "vllm")

    assert "BENCH_TOKENIZER" in (peers.missing(vllm) or "")
    monkeypatch.setenv("BENCH_TOKENIZER", "some/tokenizer")
    assert peers.missing(vllm) is None
