"""Several plans for the same work, rehearsed one after another and held side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from console.phases.plan import Plan
from console.profile.form import Profile
from console.records.text_table import TextTable, table_lines
from console.rehearsal.rehearse import Progress, rehearse
from console.rehearsal.report import Rehearsal, ScopeLoad
from console.rehearsal.spans_text import span_text
from console.rehearsal.text import figure
from console.work.contract import Work
from console.work.single_turn import SingleTurnWork


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One of the plans."""

    name: str
    """Such as the name of its policy."""
    rehearsal: Rehearsal


class Comparison(msgspec.Struct, frozen=True, kw_only=True, tag="comparison", tag_field="type"):
    """All plans, in the order given. Fewer than were asked for if somebody ended it."""

    plans: tuple[Compared, ...]
    simulated: bool = True

    @property
    def interrupted(self) -> bool:
        """Whether the last one was not played to its end."""
        return bool(self.plans) and self.plans[-1].rehearsal.state == "interrupted"


def compare(
    plans: Sequence[tuple[str, Plan]],
    profile: Profile,
    *,
    make_work: Callable[[int], Work] = SingleTurnWork,
    on_progress: Callable[[str, Progress], None] | None = None,
    obey_signals: bool = False,
) -> Comparison:
    """Rehearse every plan.

    Args:
        plans: each with the name it is told apart by.
        profile: as in `rehearse`, as are the others.
        make_work: makes of a seed what plays the tests.
        on_progress: told which plan is played and how far it is.
        obey_signals: end all of it at SIGINT and SIGTERM.
    """
    done: list[Compared] = []
    for name, plan in plans:

        def tell(progress: Progress, name: str = name) -> None:
            assert on_progress is not None
            on_progress(name, progress)

        rehearsal = rehearse(
            plan,
            profile,
            make_work=make_work,
            on_progress=None if on_progress is None else tell,
            obey_signals=obey_signals,
        )
        done.append(Compared(name=name, rehearsal=rehearsal))
        if rehearsal.state == "interrupted":
            break
    return Comparison(plans=tuple(done))


def comparison_lines(comparison: Comparison, width: int) -> list[str]:
    """Return a table over all, and one a key."""
    lines = table_lines(
        TextTable(
            title="Plans side by side (SIMULATED); peaks are those of the busiest key",
            columns=("plan", "duration", "peak QPS", "in flight", "models", "429s", "remain"),
            rows=tuple(_row(one) for one in comparison.plans),
        ),
        width,
    )
    names = dict.fromkeys(load.name for one in comparison.plans for load in one.rehearsal.keys)
    for name in names:
        rows: list[tuple[str, ...]] = []
        quota: float | None = None
        for one in comparison.plans:
            for load in one.rehearsal.keys:
                if load.name == name:
                    rows.append((one.name, *_key_row(load)))
                    quota = load.quota_qps
        supposed = "" if quota is None else f", refuses beyond {figure(quota)} requests/s as supposed"
        table = TextTable(
            title=f"Key {name} (SIMULATED){supposed}",
            columns=("plan", "peak QPS", "mean QPS", "in flight", "models", "429s"),
            rows=tuple(rows),
        )
        lines += ["", *table_lines(table, width)]
    if comparison.interrupted:
        lines += [
            "",
            f"ended while {comparison.plans[-1].name} was rehearsed: its figures are of the time until then",
        ]
    return lines


def _row(one: Compared) -> tuple[str, ...]:
    rehearsal = one.rehearsal
    ended = "" if rehearsal.state == "finished" else " (ended)"
    return (
        one.name,
        f"{span_text(rehearsal.duration_s)}{ended}",
        str(max((load.peak_qps for load in rehearsal.keys), default=0)),
        str(max((load.peak_in_flight for load in rehearsal.keys), default=0)),
        str(max((load.models_at_once for load in rehearsal.keys), default=0)),
        str(rehearsal.rate_limited),
        str(rehearsal.unanswered),
    )


def _key_row(load: ScopeLoad) -> tuple[str, ...]:
    return (
        str(load.peak_qps),
        f"{load.mean_qps:.2f}",
        str(load.peak_in_flight),
        str(load.models_at_once),
        str(load.rate_limited),
    )
