"""`capacity report` and what every search leaves in its run directory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commands import ultra, ultra_here

RAMP = (
    "capacity", "ramp", "--profile", "sim", "--model", "gpt-4o-mini", "--random-input-len", "8", "--random-output-len", "6",
    "--levels", "1,2,4", "--level-seconds", "1.5", "--scan-seconds", "1.5", "--window-seconds", "0.5", "--max-concurrency", "4",
    "--set", "providers.azure.sim.ttft_ms=20", "--set", "providers.azure.sim.itl_ms=2", "--confirm", "0", "--no-drift-test",
)  # fmt: skip


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    code, _, err = ultra(*RAMP, "--out", str(out))
    assert code in (0, 3), err
    (made,) = [path for path in out.iterdir() if path.is_dir()]
    assert f"curve in {made / 'curve.svg'}" in err
    assert f"report in {made / 'report.html'}" in err
    return made


def test_a_search_leaves_its_curve_and_its_report_behind(run_dir: Path):
    root = ElementTree.fromstring((run_dir / "curve.svg").read_text())
    result = json.loads((run_dir / "search.json").read_text())
    assert root.find("{http://www.w3.org/2000/svg}desc").text == result["answers"][-1]["line"]
    page = (run_dir / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "--random-output-len 6" in page
    assert "SIMULATED" in page


def test_files_are_written_anew_where_they_are_asked_for(run_dir: Path, tmp_path: Path):
    out = tmp_path / "deep" / "er"
    code, said, err = ultra_here(
        "capacity", "report", str(run_dir), "--out", str(out), "--format", "svg,html"
    )
    assert (code, err) == (0, "")
    assert said.splitlines() == [str(out / "curve.svg"), str(out / "report.html")]
    assert (out / "curve.svg").read_bytes() == (run_dir / "curve.svg").read_bytes()


def test_a_png_is_drawn_and_without_its_library_the_rest_is_there(run_dir: Path, tmp_path: Path, monkeypatch):
    pytest.importorskip("vl_convert")
    code, said, _ = ultra_here("capacity", "report", str(run_dir), "--out", str(tmp_path), "--format", "png")
    assert (code, said.strip()) == (0, str(tmp_path / "curve.png"))
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    bare = tmp_path / "bare"
    code, said, err = ultra_here(
        "capacity", "report", str(run_dir), "--out", str(bare), "--format", "svg", "--format", "png"
    )
    assert (code, said.strip()) == (2, str(bare / "curve.svg"))
    assert "pip install 'ultra-console[png]'" in err
    assert (bare / "curve.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "pdf"), "no such format: pdf"),
        (("--out", "/proc/none"), "cannot be made"),
    ],
)
def test_what_cannot_be_is_refused(run_dir: Path, arguments, said):
    code, out, err = ultra_here("capacity", "report", str(run_dir), *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_run_that_is_no_search_is_told_so(tmp_path: Path):
    code, _, err = ultra_here("capacity", "report", str(tmp_path))
    assert code == 2
    assert "Traceback" not in err
