"""The phases, played for real against the simulator: every test once, and the same again with the same seed.

But for 5.2, whose ten jobs begin 15 s apart; `tests/phases` and `tests/rehearsal` play it on virtual time.
"""

import polars as pl
import pytest
from commands import ultra

from console.vocabulary.names import FLAWS

QUICK = """
name = "quick"
rate_mode = "fixed"
[providers.lab]
api = "sim"
keys = ["key0", "key1"]
[providers.lab.sim]
ttft_ms = 1
itl_ms = 0
error_rate = 0.02
[providers.lab.sim.skills]
"able" = 0.9
"qwen2.5-72b-instruct" = 0.5
[models."able"]
provider = "lab"
class = "open"
[models."qwen2.5-72b-instruct"]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = { workers = 8 }
"""
FREE = ("provider", "model", "deployment", "key", "segment", "line", "session", "attempt", "requests", "rows")
"""What may differ between two runs, besides times."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the same plan, one of them on two processes."""
    home = tmp_path_factory.mktemp("phases")
    (home / "quick.toml").write_text(QUICK)
    for name, processes in (("one", "1"), ("other", "2")):
        code, _, err = ultra(*asked(name), "--processes", processes, cwd=home)
        assert code == 0, err
    return home


def asked(name):
    return (
        "run", "--profile", "./quick.toml", "--phase", "5.1,5.3-5.5", "--num-instances", "1",
        "--model", "able,qwen2.5-72b-instruct", "--out", ".", "--run-id", name,
    )  # fmt: skip


def table_of(home, name):
    return pl.read_parquet(home / name / "tests.parquet").sort("test")


def test_every_planned_test_is_there_once_and_played_to_a_verdict(runs):
    tests = table_of(runs, "one")
    assert tests.height == tests["test"].n_unique() == 2 * (5 + 5 * len(FLAWS) + 5 * 4 + 5 * 2)
    assert set(tests["verdict"]) <= {"full", "partial", "failure"}
    assert set(tests["rate"]) == {"0.9", "0.8", "0.7", "0.6", "0.5"}
    assert {f"flawed_{flaw}" for flaw in FLAWS} < set(tests["prompt_type"])
    assert tests["turns"].max() > 4
    assert tests["chance_failures"].sum() > 0


def test_the_finished_run_has_nothing_to_do(runs):
    for asking in (asked("one"), ("run", "--run-id", "one", "--out", str(runs))):
        code, _, err = ultra(*asking, cwd=runs)
        assert (code, "nothing to do" in err) == (0, True)


def test_the_same_seed_gives_the_same_results_whatever_fails_on_the_way(runs):
    one, other = table_of(runs, "one"), table_of(runs, "other")
    free = [*FREE, *(name for name in one.columns if name.endswith("_ns"))]
    assert one.drop(free, strict=False).equals(other.drop(free, strict=False))


def test_better_models_show(runs):
    means = dict(table_of(runs, "one").group_by("model").agg(pl.col("score").mean()).iter_rows())
    assert means["able"] > means["qwen2.5-72b-instruct"] + 0.05


def test_a_test_is_shown_with_all_that_was_said(runs):
    failed = table_of(runs, "one").filter(pl.col("verdict") == "failure")["test"].to_list()
    code, out, _ = ultra("tests", "one", "--show", failed[0], cwd=runs)
    assert code == 0
    for wanted in (failed[0], "SIMULATED", "Ticket", "turn 1", "error"):
        assert wanted in out
