"""Searches of fakes: made-up levels of a server with 37 slots, what a search shows at each of them, and the form's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from console.screens.capacity.needs import Found, Prospect, SearchAsked
from console.vocabulary.errors import ConsoleError
from console.vocabulary.level import Estimate, LaneAtLevel, LevelOutcome, Purpose, RuleOutcome, RuleState
from console.vocabulary.search_view import LevelNow, LevelStage, SearchView
from console.vocabulary.snapshot import LaneView, Snapshot
from fakes.live import snapshot

SEARCH_DIR = Path("/runs/20261120-231507-search-sim")
OLD_SEARCH = Path("/runs/20261119-080100-search-mine")
MODELS = ("gpt-4o-mini", "o3", "DeepSeek-R1-0528")
LANE = "azure/gpt-4o-mini@key0"
_SLOTS = 37
_PLAN: tuple[tuple[int, Purpose], ...] = (
    (2, "scan"), (10, "scan"), (20, "scan"), (50, "scan"), (100, "scan"), (71, "refine"), (35, "refine"),
    (32, "refine"), (39, "refine"), (37, "refine"), (37, "confirm"), (2, "drift"),
)  # fmt: skip


def rule(
    name: str, state: RuleState, limit: str, measured: str, margin: float | None, missing: str = ""
) -> RuleOutcome:
    return RuleOutcome(rule=name, state=state, limit=limit, measured=measured, margin=margin, missing=missing)


def level(number: int, concurrency: int, purpose: Purpose = "scan", **changes: object) -> LevelOutcome:
    """What a server with 37 slots, 300 ms to the first token and 15 ms for each one after it would give."""
    busy = min(concurrency, _SLOTS)
    tokens = 44.0 * busy
    ttft = 300.0 + max(0, concurrency - _SLOTS) * 22.0
    ended = 8 * busy
    ttft_state: RuleState = "fail" if ttft > 1000 else "pass" if ended >= 59 else "undecided"
    missing = "" if ttft_state != "undecided" else f"needs ≥ 59 answers, has {ended}"
    made = LevelOutcome(
        number=number,
        purpose=purpose,
        concurrency=concurrency,
        from_ns=number * 10_000_000_000,
        to_ns=number * 10_000_000_000 + 5_000_000_000,
        outcomes={"ok": ended},
        ended=ended,
        success=Estimate(1.0, 0.95 if ended < 80 else 0.98, 1.0, ended),
        requests_per_s=Estimate(tokens / 39, tokens / 40, tokens / 38, ended),
        tokens_per_s=Estimate(tokens, 0.97 * tokens, 1.03 * tokens, ended),
        work_per_s=Estimate(tokens, 0.97 * tokens, 1.03 * tokens, ended),
        work_unit="tokens",
        in_flight=float(concurrency),
        stay_mean_ms=ttft + 580,
        metrics={
            "ttft_mean": Estimate(ttft, ttft - 20, ttft + 20, ended),
            "ttft_p50": Estimate(ttft - 5, ttft - 25, ttft + 15, ended),
            **({"ttft_p95": Estimate(ttft + 90, ttft + 60, ttft + 140, ended)} if ended >= 130 else {}),
            "tpot_mean": Estimate(15.1, 15.0, 15.2, ended),
        },
        output_tokens_mean=39.1,
        output_tokens_cv=0.17,
        cached_share=0.0,
        rules=(
            rule("success", "pass" if ended >= 59 else "undecided", "≥ 95 %", "100 % [95, 100]", 0.0526),
            rule("ttft_mean", ttft_state, "≤ 1000 ms", f"{ttft:,.0f} ms", 1 - ttft / 1000, missing),
            rule("ttft_p95", ttft_state, "≤ 1000 ms", f"{ttft + 90:,.0f} ms", 0.91 - ttft / 1000, missing),
            rule("quota", "pass", "≤ 1 % rate-limited", f"none of {ended}", 1.0),
            rule("client", "pass", "its own delays ≤ 10 % of TTFT", "VALID, delays up to 2.1 ms", None),
        ),
        lanes=(
            LaneAtLevel(
                lane=LANE, requests_per_s=tokens / 39, tokens_per_s=tokens, in_flight=float(concurrency),
                ok=ended, failed=0, ttft_mean_ms=ttft, ttft_p95_ms=ttft + 90,
            ),
        ),
        spent_s=7.5,
        spent_requests=2 * ended,
        spent_tokens=200 * ended,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


LEVELS = tuple(level(number, *planned) for number, planned in enumerate(_PLAN, 1))


def search(
    over: int, stage: LevelStage | None = "sampling", *, stage_s: float = 3.0, **changes: object
) -> SearchView:
    """A ramp of which so many levels are over; `stage` is that of the next one, None: there is none."""
    levels = LEVELS[:over]
    passing = [one.concurrency for one in levels if one.verdict != "fail"]
    failing = [one.concurrency for one in levels if one.verdict == "fail"]
    now = None
    if stage is not None:
        concurrency, purpose = _PLAN[over]
        sampling = stage == "sampling"
        now = LevelNow(
            number=over + 1,
            purpose=purpose,
            concurrency=concurrency,
            stage=stage,
            stage_s=stage_s,
            ended=LEVELS[over].ended // 2 if sampling else 0,
            at_most_s=8.0,
            rules=LEVELS[over].rules if sampling else (),
        )
    made = SearchView(
        kind="ramp",
        model="gpt-4o-mini",
        stage="climbs the ladder" if over < 5 else "looks where throughput stops growing, about 36",
        passes=max(passing, default=None),
        fails=min(failing, default=None),
        levels=levels,
        now=now,
        spent_s=7.5 * over + stage_s,
        spent_requests=sum(one.spent_requests for one in levels),
        spent_tokens=sum(one.spent_tokens for one in levels),
        most_requests=10_000,
        levels_left=None if over < 5 else len(LEVELS) - over,
        eta_s=None if over < 5 else 7.5 * (len(LEVELS) - over),
    )
    return msgspec.structs.replace(made, **changes)


def searching(
    over: int, stage: LevelStage | None = "sampling", *, seq: int = 7, **changes: object
) -> Snapshot:
    """A snapshot of a search that goes on."""
    of_search = {name: changes.pop(name) for name in ("stage_s",) if name in changes}
    view = search(over, stage, **of_search)  # type: ignore[arg-type]
    lane = LaneView(
        provider="azure", model="gpt-4o-mini", deployment="gpt-4o-mini", key="key0", state="busy",
        in_flight=35, held=35, workers=100, profile_workers=100, rate=41.0, ok=1203,
    )  # fmt: skip
    return msgspec.structs.replace(
        snapshot(),
        seq=seq,
        run_id=SEARCH_DIR.name,
        run_dir=str(SEARCH_DIR),
        pid=4242,
        title="search",
        elapsed_s=view.spent_s,
        eta_s=view.eta_s,
        jobs=(),
        lanes=(lane,),
        events=(),
        verdicts={},
        queued=0,
        search=view,
        **changes,
    )


ANSWER = (
    "bears 37 concurrent requests: throughput grows up to there and no longer at 39 (success 100.0 % [98, 100], "
    "TTFT p95 390 ms [360, 440], 41.7 requests/s); production: 18 (half of the limit), 25-29 (70-80 % of the limit)"
)


def folded(width: int) -> list[str]:
    import textwrap

    extras = [
        "largest level within every limit: 50",
        "no drift: throughput +1 %, mean TTFT +2 % at 2, first against last",
    ]
    return [*textwrap.wrap(ANSWER, width), *(f"  {extra}" for extra in extras)]


def found(state: Literal["finished", "interrupted", "partial"] = "finished", **changes: object) -> Found:
    """What the search found, whole or up to where it was broken off."""
    whole = state == "finished"
    values: dict[str, object] = {
        "run_id": OLD_SEARCH.name,
        "kind": "ramp",
        "model": "gpt-4o-mini",
        "profile": "mine",
        "simulated": False,
        "state": state,
        "levels": LEVELS if whole else LEVELS[:6],
        "answer": folded
        if whole
        else lambda _width: ["undecided: 50 passes, 71 fails (TTFT p95); it was stopped"],
        "ends": (50, 71),
        "knee": 36.9 if whole else None,
    }
    return Found(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class FakeCapacity:
    """What the capacity screen is told."""

    simulated: bool = True
    lanes: tuple[str, ...] = (LANE,)
    missing: tuple[str, ...] = ()
    refusal: ConsoleError | None = None
    start_error: ConsoleError | None = None
    searches: dict[Path, Found | None] = field(default_factory=lambda: {OLD_SEARCH: found()})
    """None: it goes on."""
    started: list[SearchAsked] = field(default_factory=list)
    resumed: list[Path] = field(default_factory=list)
    live: Path | None = None

    def models(self, profile: str, changes: tuple[str, ...]) -> list[str]:
        if self.refusal is not None and profile == "broken":
            raise self.refusal
        return list(MODELS)

    def prospect(self, asked: SearchAsked) -> Prospect:
        if self.refusal is not None:
            raise self.refusal
        cap = (
            "the profile allows 100 in flight, and the search looks no further than that, not to 1000; "
            "--lift-workers leaves the workers of lanes out"
        )
        lifted = asked.lift_workers
        return Prospect(
            self.lanes,
            () if lifted else (cap,),
            self.simulated,
            asked.most if lifted else 100,
            None,
            self.missing,
        )

    def start(self, asked: SearchAsked) -> Path:
        if self.start_error is not None:
            raise self.start_error
        self.started.append(asked)
        self.searches[SEARCH_DIR] = None
        return SEARCH_DIR

    def resume(self, run_dir: Path) -> Path:
        self.resumed.append(run_dir)
        self.searches[run_dir] = None
        return run_dir

    def standing(self, run_dir: Path) -> Literal["live", "over", "other"]:
        if run_dir not in self.searches:
            return "other"
        return "live" if self.searches[run_dir] is None else "over"

    def newest(self) -> Path | None:
        return self.live

    def found(self, run_dir: Path) -> Found:
        read = self.searches[run_dir]
        if read is None:
            raise ConsoleError("is no capacity search that has ended", where=run_dir.name)
        return read
