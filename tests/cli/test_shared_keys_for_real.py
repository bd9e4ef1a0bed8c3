"""Two runs started by hand on one key, as users start them: the key's limit holds for both together."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from commands import Simulator, end, only_run, rows_written, start, ultra, until

from console.records.read_journal import read_rows
from console.vocabulary.rows import EventRow, RequestRow, RunStarted, TestRow

QPS = 10
PROFILE = """\
name = "shared"
[providers.lab]
api = "openai"
base_url = "{url}"
keys = {{ key0 = "env:LAB_KEY_0" }}
{limits}
[models.small]
provider = "lab"
class = "open"
{model}
[limits.lab.open]
fixed = {{ workers = 8 }}
"""
KEY = {"LAB_KEY_0": "made-up"}


@pytest.fixture
def simulator():
    with Simulator("--ttft-ms", "150", "--itl-ms", "2", "--output-tokens", "10") as running:
        yield running


def profile(folder: Path, simulator: Simulator, *, limits: str = "", model: str = "") -> str:
    path = folder / "shared.toml"
    path.write_text(PROFILE.format(url=simulator.url, limits=limits, model=model))
    return str(path)


def begin(folder: Path, name: str, where: str, *, instances: int = 1):
    out = folder / name
    out.mkdir()
    return out, start(
        "run",
        "--profile",
        where,
        "--model",
        "small",
        "--num-instances",
        str(instances),
        "--out",
        str(out),
        **KEY,
    )


def with_server_ns(out: Path) -> list[tuple[int, int]]:
    """Return when each request of the run in `out` left and when it was over, on the clock that runs have in common."""
    start_ns = None
    spans: list[tuple[int, int]] = []
    for row in read_rows(only_run(out)):
        if isinstance(row, RunStarted):
            start_ns = row.start_ns
        elif isinstance(row, RequestRow) and row.total_ns is not None:
            assert start_ns is not None
            spans.append((start_ns + row.at_ns, start_ns + row.at_ns + row.total_ns))
    return sorted(spans)


def assert_law(sent_ns: list[int], per_second: int) -> None:
    """At most rate × w + 1 in every window w, to the nanosecond: from the i-th to the j-th, j - i + 1."""
    ahead = [index - Fraction(per_second, 10**9) * time_ns for index, time_ns in enumerate(sorted(sent_ns))]
    for sooner, later in pairwise(ahead):
        assert later <= sooner  # so that none is ahead of any before it


def limit_of_key() -> str:
    return f"limits = {{ key = {{ qps = {QPS} }} }}"


def test_two_runs_keep_the_rate_of_their_key_together(tmp_path: Path, simulator: Simulator):
    where = profile(tmp_path, simulator, limits=limit_of_key())
    runs = [begin(tmp_path, name, where) for name in ("one", "two")]
    for _, process in runs:
        code, _, err = end(process)
        assert code == 0, err
    spans = [with_server_ns(out) for out, _ in runs]
    assert min(len(each) for each in spans) > 10
    assert_law([sent for each in spans for sent, _ in each], QPS)
    first, second = spans
    assert first[0][0] < second[-1][0], "they ran side by side"
    assert second[0][0] < first[-1][0]


def test_a_run_that_is_killed_does_not_hold_the_other_up(tmp_path: Path, simulator: Simulator):
    where = profile(tmp_path, simulator, limits=limit_of_key())
    (one, killed), (two, goes_on) = (begin(tmp_path, name, where, instances=2) for name in ("one", "two"))
    until(lambda: min(rows_written(one, "request"), rows_written(two, "request")) > 3, "both to send")
    killed.kill()
    killed.communicate()
    code, _, err = end(goes_on)
    assert code == 0, err
    assert sum(isinstance(row, TestRow) for row in read_rows(only_run(two))) == 10
    assert_law([sent for out in (one, two) for sent, _ in with_server_ns(out)], QPS)


def test_where_nothing_can_be_shared_a_run_says_so_once_and_goes_on(tmp_path: Path, simulator: Simulator):
    where = profile(tmp_path, simulator, limits=limit_of_key())
    no_folder = tmp_path / "taken"
    no_folder.write_text("a file")
    out = tmp_path / "out"
    code, _, err = ultra(
        "run", "--profile", where, "--model", "small", "--num-instances", "2", "--out", str(out), **KEY,
        ULTRA_CONSOLE_SHARE_DIR=str(no_folder),
    )  # fmt: skip
    assert code == 0, err
    told = [row for row in read_rows(only_run(out)) if isinstance(row, EventRow) and row.kind == "share"]
    assert [row.level for row in told] == ["warn"]
    assert "for this run alone" in told[0].text
    assert str(no_folder) in told[0].text
    spans = with_server_ns(out)
    assert len(spans) > 10
    assert_law([sent for sent, _ in spans], QPS)


def test_two_runs_take_turns_on_a_key_that_they_lease(tmp_path: Path, simulator: Simulator):
    where = profile(tmp_path, simulator, model='split = "lease"')
    runs = [begin(tmp_path, name, where, instances=4) for name in ("one", "two")]
    for _, process in runs:
        code, _, err = end(process)
        assert code == 0, err
    marked = sorted((span, number) for number, (out, _) in enumerate(runs) for span in with_server_ns(out))
    assert len(marked) > 40
    turns = [number for (_, number), (_, later) in pairwise(marked) if number != later]
    assert len(turns) == 1, "one job each: the key changes hands once"
    spans = [with_server_ns(out) for out, _ in runs]
    sooner, later = sorted(spans)
    assert max(over for _, over in sooner) <= later[0][0]
