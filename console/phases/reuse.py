"""Which tests are not played anew: those that another phase of the run holds, and those of an earlier run.

A test is the same test wherever it is asked for, as its id says all that it is drawn from but the seed. So it is
played once a run; and a result of an earlier run stands for it where everything else that decides it is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from console.phases.matrix import ModelChoice, cells
from console.phases.models import models_of
from console.phases.phase import Phase
from console.phases.plan import Job
from console.phases.selection import Selection, narrowed
from console.records.earlier import EarlierRun
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import TestRow

NEW = ""
"""Where a test comes from that is played in this run."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a result besides the id of its test."""

    seed: int
    library: str
    """Version of the task library."""
    protocols: Mapping[str, str]
    """Model → protocol, where it is not `tools`."""
    max_tokens: Mapping[str, int]
    """Model → the greatest length of a reply, where the profile says so."""
    scoring: Mapping[str, Any]
    """The scoring presets."""
    simulated: Set[str]
    """Models whose home provider is simulated."""


class Claims:
    """Who holds which test of a plan, as phase after phase asks for its own."""

    def __init__(self, now: Conditions, earlier: EarlierRun | None = None) -> None:
        """Begin with nothing held; `earlier` is the run whose results may stand in."""
        self._now = now
        self._earlier = earlier
        self._holder: dict[str, str] = {}
        self._kept_for: dict[str, str] = {}
        self.taken: dict[str, TestRow] = {}
        """Tests whose results come from the earlier run, and these."""
        self.refused: Counter[str] = Counter()
        """Why tests that the earlier run has are played anew, and how many."""

    def keep(self, phase: str, tests: Iterable[str]) -> None:
        """Keep tests for a phase that comes later, as the one that comes first takes them from there."""
        for test in tests:
            self._kept_for.setdefault(test, phase)

    def source(self, phase: str, test: str, *, takes_from: Set[str] = frozenset()) -> str:
        """Say where the result of a test comes from: NEW, another phase's id, or `run ID`.

        Args:
            phase: who asks.
            test: the test.
            takes_from: phases that it reuses.
        """
        held = self._holder.get(test)
        if held is not None:
            return held
        later = self._kept_for.get(test)
        if later is not None and later != phase and later in takes_from:
            return later
        source = self._from_earlier(test)
        self._holder[test] = source or phase
        return source

    def _from_earlier(self, test: str) -> str:
        earlier = self._earlier
        row = None if earlier is None else earlier.rows.get(test)
        if earlier is None or row is None:
            return NEW
        reason = self._differs(earlier, row)
        if reason:
            self.refused[reason] += 1
            return NEW
        self.taken[test] = msgspec.structs.replace(
            row, reused_from=row.reused_from or earlier.run_id, at_ns=0
        )  # when it was played is a time of that run
        return f"run {earlier.run_id}"

    def _differs(self, earlier: EarlierRun, row: TestRow) -> str:
        """Say what decided an earlier result otherwise than it would be decided here; empty: nothing."""
        now, model = self._now, row.lane.model
        if earlier.seed != now.seed:
            return f"its seed is {earlier.seed}, and this run's {now.seed}"
        if earlier.library != now.library:
            was = f"version {earlier.library}" if earlier.library else "an older version"
            return f"its tasks are of {was} of the library, and this run's of version {now.library or 0}"
        if earlier.scoring != now.scoring:
            return "it was scored by other presets"
        was, would = earlier.protocols.get(model, "tools"), now.protocols.get(model, "tools")
        if was != would:
            return f"{model} spoke the protocol {was!r}, and speaks {would!r} here"
        if earlier.max_tokens.get(model) != now.max_tokens.get(model):
            return f"{model} had another max_tokens for its replies"
        if earlier.was_simulated(row) != (model in now.simulated):
            real = "is simulated here" if model in now.simulated else "is not simulated here"
            return f"{model} {real}, and was{' not' if model in now.simulated else ''} there"
        return ""

    def lines(self) -> list[str]:
        """Say what came of the earlier run: how many results stand, and why others do not."""
        if self._earlier is None:
            return []
        name = self._earlier.run_id
        found = (
            [f"{_tests(len(self.taken))} of run {name}: their results are taken over"] if self.taken else []
        )
        found += [
            f"{_tests(count)} of run {name} are played anew: {reason}"
            for reason, count in self.refused.items()
        ]
        return found or [f"run {name} has no finished test of this selection: all are played anew"]


Wanted = Sequence[tuple[Phase, Sequence[ModelChoice]]]
"""The phases of a run in their order, each with its models."""


def keep_for_later(claims: Claims, wanted: Wanted) -> None:
    """Keep the tests of phases that an earlier one in the run takes from."""
    for at, (phase, _) in enumerate(wanted):
        for source, models in wanted[at + 1 :]:
            if source.id in phase.reuse:
                claims.keep(source.id, _tests_of(source, models))


def _tests_of(phase: Phase, models: Sequence[ModelChoice]) -> Iterator[str]:
    for cell in cells(phase, models):
        yield from map(str, cell.tests(phase.task_type_names(), phase.instances))


def not_in_this_run(
    wanted: Wanted,
    jobs: Sequence[Job],
    absent: Mapping[str, Phase],
    selection: Selection,
    choices: Sequence[ModelChoice],
) -> list[str]:
    """Say which tests are played though another phase has them, as that one is not in this run."""
    here = {phase.id for phase, _ in wanted}
    picked = Selection(
        model_class=selection.model_class, models=selection.models, instances=selection.instances
    )
    said: list[str] = []
    for phase, _ in wanted:
        for name in (name for name in phase.reuse if name not in here):
            if name not in absent:
                said.append(f"{phase.id} would reuse tests of {name}, and there is no phase of that name")
                continue
            source = narrowed(absent[name], picked)
            try:
                held = set(_tests_of(source, models_of(source, choices, picked.model_class)))
            except ConsoleError:
                continue  # it asks for models that this profile does not have
            count = sum(test in held for job in jobs if job.phase == phase.id for test in job.tests)
            if count:
                said.append(
                    f"{phase.id} would reuse {_tests(count)} of {name}, which is not in this run: they are "
                    "played anew; --reuse RUN takes them from an earlier run"
                )
    return said


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count:,} tests"
