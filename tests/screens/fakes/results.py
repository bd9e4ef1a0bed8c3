"""Made-up results: eight models, three levels down to tests, and what was said in each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.screens.results.needs import Export, Fact, RunHead, Watch
from console.screens.results.places import Place, Step
from console.screens.results.sheet import Column, Listed, Row, Sheet
from console.vocabulary.errors import ConsoleError

RUN = Path("/runs/20261120-231507-5.1-sim")
MODELS = (
    "DeepSeek-V3-0324",
    "DeepSeek-R1-0528",
    "Llama-3.3-70B-Instruct",
    *(f"qwen2.5-{size}b-instruct" for size in (72, 32, 14, 7, 3)),
)
TYPES = ("simple_task", "basic_task", "data_pipeline", "api_integration", "multi_stage_pipeline")
FIGURES = ("tests", "full", "part", "fail", "infra", "success", "95% CI", "score", "95% CI")
NOTES = (
    "success: full + partial of all that the model answered; infra: no complete answer came, in no rate",
)
SAID = """\
{test} (SIMULATED)
verdict   failure, score 0.412 (goal)
error     tool_selection
attempt   1 of 1, on ideallab/qwen2.5-7b-instruct@key0
size      3 turns, 3 requests, 0.3 s, 12,966 tokens in, 29 out
marks     goal not reached, finished, conditions 50.0%, coverage 66.7%
detail    the dataset harvest_rows was never made

prompt
  user:
    Ticket basic_task/12
    Task: First, parse the csv text of the document harvest_raw.

turn 1
  assistant calls data_parser:
    {{"source": "harvest_raw", "format": "csv"}}
  data_parser failed, arguments: MISSING_PARAMETER:
    output is missing

turn 2
  assistant:
    turn 3
    {hostile}
  assistant calls finish:
    {{}}"""
FACTS = (
    Fact("verdicts", "full 568 (71.9%)   partial 96 (12.2%)   failure 126 (15.9%)", "strong"),
    Fact("", "success 84.1%, mean score 0.846, n = 790 answered"),
    Fact("", "without an answer 10: timeout_idle 10; never counted against a model", "warn"),
    Fact("integrity", "planned 800 tests = done 790 + without an answer 10", "warn"),
    Fact("", "lost: nothing, every line of the journal is whole", "good"),
    Fact("requests", "4,312 in 8 min 31 s: 99.1% ok, 8.37 req/s, 412 tok/s, peak 150 in flight"),
    Fact("", "rate_limited 14, timeout_idle 24"),
    Fact("TTFT", "p50 212ms  p90 388ms  p99 1.21s  max 3.02s  (n=4,274)"),
    Fact("client", "VALID (read delay p99 1.9 ms, loop lag p99 1.2 ms, cpu 16 %)", "good"),
    Fact("by hand", "0:03:12  azure/gpt-4o-mini@key0: workers 100 → 20"),
    Fact("started", "2026-11-20T23:15:07+00:00"),
    Fact("directory", str(RUN)),
    Fact("notes", "success: full + partial of all with a verdict", "muted"),
)


@dataclass
class FakeText:
    """One test."""

    test: str
    hostile: str = "I \x1b[31mam\x1b[0m done."

    def lines(self, width: int) -> list[str]:
        return SAID.format(test=self.test, hostile=self.hostile).splitlines()


@dataclass
class FakeRun:
    """The results of a run; what was exported is kept."""

    head: RunHead = field(
        default_factory=lambda: RunHead(RUN.name, RUN, "5.1", "sim", "finished", True, 790, 800)
    )
    facts: Sequence[Fact] = FACTS
    exported: list[tuple[Export, int]] = field(default_factory=list)
    hostile: str = "I \x1b[31mam\x1b[0m done."
    before_sheet: Callable[[], None] = lambda: None

    scoring: str = "goal"

    def by(self, scoring: str) -> FakeRun:
        return replace(self, scoring=scoring)

    def overview(self) -> Sequence[Fact]:
        if self.scoring == "original":
            return (Fact("verdicts", "full 401, by the preset original", "strong"), *self.facts[1:])
        return self.facts

    def sheet(self, place: Place) -> Sheet:
        self.before_sheet()
        if place.view == "models" and not place.as_tests and len(place.steps) < 2:
            axis, names = ("task_type", TYPES) if place.steps else ("model", MODELS)
            if place.steps:  # levels with one value are passed over
                passed = (Step("prompt_type", "optimal"), Step("difficulty", "easy"), Step("rate", "0.8"))
                place = place.down(passed)
            return figures(place, axis, names)
        if place.view in ("keys", "deployments", "lanes") and not place.steps:
            return loads(place)
        if place.view == "errors" and not place.steps:
            return errors(place)
        if place.view == "phases" and not place.steps:
            return tables(place)
        return tests(place)

    def test(self, test: str) -> FakeText:
        return FakeText(test, self.hostile)

    def export(self, wanted: Export, sheet: Sheet | None, order: Sequence[int]) -> Path:
        self.exported.append((wanted, len(order)))
        return wanted.path


def figures(place: Place, axis, names: Sequence[str]) -> Listed:
    """Return verdicts of each name."""
    rows = []
    for number, name in enumerate(names):
        full, partial = 90 - 6 * number, 5 + number
        answered = 98
        success = (full + partial) / answered
        cells = (
            name,
            "100",
            str(full),
            str(partial),
            str(answered - full - partial),
            "2",
            f"{100 * success:.1f}%",
        )
        cells = (*cells, f"{100 * success - 5:.1f}–{100 * success + 3:.1f}", f"{success - 0.02:.3f}", "n/a")
        keys = (
            name,
            100,
            full,
            partial,
            answered - full - partial,
            2,
            success,
            success - 0.05,
            success - 0.02,
            None,
        )
        rows.append(Row(name, cells, keys, (Step(axis, name),)))
    total = ("all", "800", "568", "96", "126", "10", "84.1%", "81.3–86.5", "0.846", "0.82–0.87")
    rows.append(Row("all", total, total, tone="strong", total=True))
    columns = (
        Column(axis, axis.replace("_", " ")),
        *(Column(f"{n}", t, figures=True) for n, t in enumerate(FIGURES)),
    )
    return Listed(
        place, f"by {axis.replace('_', ' ')}", columns, tuple(rows), NOTES, noun=f"{axis.replace('_', ' ')}s"
    )


def loads(place: Place) -> Listed:
    """Return the load of keys."""
    columns = tuple(
        Column(name, name, figures=number > 0)
        for number, name in enumerate((place.view[:-1], "requests", "ok", "429"))
    )
    rows = tuple(
        Row(
            name,
            (name, f"{count:,}", "99.1%", "14"),
            (name, count, 0.991, 14),
            (Step("provider", "azure"), Step("key", "key0")),
        )
        for name, count in (("azure/key0", 1912), ("ideallab/key0", 1204), ("ideallab/key1", 1196))
    )
    return Listed(place, f"load per {place.view[:-1]}", columns, rows, noun=place.view)


def errors(place: Place) -> Listed:
    """Return tests by error class."""
    columns = (
        Column("error_class", "error class"),
        Column("all", "all", figures=True),
        Column("share", "share", figures=True),
    )
    rows = tuple(
        Row(
            name,
            (name, str(count), f"{count / 2.22:.1f}%"),
            (name, count, count / 222),
            (Step("error_class", name),),
        )
        for name, count in (("tool_selection", 120), ("parameter_config", 60), ("max_turns", 42))
    )
    return Listed(place, "errors by class", columns, rows, noun="classes")


def tables(place: Place) -> Listed:
    """Return the tables of the report."""
    columns = (
        Column("table", "table"),
        Column("rows", "rows", figures=True),
        Column("title", "what it shows"),
    )
    rows = tuple(
        Row(name, (name, "8", title), (name, 8, title), (Step("table", name),))
        for name, title in (
            ("5.1", "Phase 5.1: baseline, by model"),
            ("5.1-pairs", "Phase 5.1: full or not on shared instances"),
        )
    )
    return Listed(place, "phases and comparisons", columns, rows, noun="tables")


def tests(place: Place) -> Listed:
    """Return twenty tests, every third a failure."""
    wanted = place.value("verdict") or ""
    model = place.value("model") or MODELS[6]
    kind = place.value("task_type") or "basic_task"
    columns = tuple(
        Column(name, name, figures=name in ("score", "turns"))
        for name in ("test", "verdict", "score", "error", "turns", "lane")
    )
    rows = []
    for number in range(1, 21):
        failed = number % 3 == 0
        verdict = "failure" if failed else "full"
        if wanted and wanted not in (verdict, "not full" if failed else ""):
            continue
        score = 0.4 if failed else 1.0
        error = "tool_selection" if failed else "-"
        cells = (f"{kind}/{number}", verdict, f"{score:.3f}", error, "3", f"ideallab/{model}@key0")
        keys = (f"{kind}/{number:02}", verdict, score, error, 3, cells[5])
        rows.append(
            Row(f"{model}/optimal/easy/0.8/{kind}/{number}", cells, keys, tone="bad" if failed else "")
        )
    return Listed(
        place,
        "tests",
        columns,
        tuple(rows),
        noun="tests",
        empty="no such test here: f shows others",
        tests=True,
    )


@dataclass
class FakeReading:
    """What the results screen asks."""

    run: FakeRun = field(default_factory=FakeRun)
    error: ConsoleError | None = None
    read_dirs: list[Path] = field(default_factory=list)
    before: Callable[[Watch], None] = lambda watch: None
    """Runs in the thread that reads."""

    def read(self, run_dir: Path, watch: Watch) -> FakeRun:
        self.read_dirs.append(run_dir)
        self.before(watch)
        if self.error is not None:
            raise self.error
        return self.run
