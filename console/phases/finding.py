"""Findings of preflight: what they are, and what they are looked for in. Everything that is looked for is in `CODES`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from console.phases.lookahead import Lookahead
from console.phases.nominal import Nominal
from console.phases.plan import Plan
from console.profile.effective import key_scopes
from console.profile.form import Profile
from console.vocabulary.lane import NO_KEY, LaneSetup, Scope, key_name, together

CODES: Final[Mapping[str, str]] = {
    "oversubscribed": "jobs may load a key, deployment or other gate with 80 % of its rate or more, or with more workers than it has slots",
    "unlimited-key": "nothing limits what workers send on a key, and it may come to 80 % of what the key is supposed to bear",
    "shared-key": "several jobs of one model class run on one key at once",
    "groups-one-key": "several groups of one model run on one key at once",
    "serial-by-limit": "jobs run side by side, and a limit of one worker makes each of them serial",
    "idle-key": "no job uses a key that is on, while tests queue for others",
    "key-off-moved": "a model's key is off, and it uses another one",
    "over-concurrency": "a fixed number of workers over 200 on one model, whatever its response time",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    code: str
    where: str
    """A key, deployment, model class or model."""
    text: str
    cure: str
    """What to do, in words."""
    change: tuple[str, ...] = ()
    """Arguments of `plan` and `run` that do it."""
    figures: dict[str, float] = {}

    @property
    def plain(self) -> str:
        """The finding as one line, without its cure."""
        return f"{self.where.removeprefix('model ')}: {self.text}"


class Scene:
    """What findings are looked for in."""

    def __init__(
        self, plan: Plan, profile: Profile, ahead: Lookahead, nominal: Mapping[Scope, Nominal]
    ) -> None:
        """Take a plan, its profile, and what was seen ahead."""
        self.plan = plan
        self.profile = profile
        self.ahead = ahead
        self.nominal = nominal
        self._setups = {setup.lane.id: setup for setup in plan.lanes}
        self._before = [frozenset(job.before) for job in plan.jobs]

    def setup(self, lane_id: str) -> LaneSetup:
        """Return a lane of the plan."""
        return self._setups[lane_id]

    def open_lanes(self, index: int) -> list[LaneSetup]:
        """Return the lanes that a job uses."""
        return [self._setups[lane_id] for lane_id in self.ahead.jobs[index].lanes]

    def workers(self, index: int) -> int | None:
        """Return the workers of a job; None: unlimited."""
        return together(setup.limits.workers for setup in self.open_lanes(index))

    def has_company(self, index: int) -> bool:
        """Whether a job may run beside another one of its phase."""
        phase = self.plan.jobs[index].phase
        return any(
            other.phase == phase
            and at != index
            and at not in self._before[index]
            and index not in self._before[at]
            for at, other in enumerate(self.plan.jobs)
        )

    def limit_path(self, setup: LaneSetup) -> str:
        """Return where the limits of a lane stand in the profile."""
        table = self.profile.providers[setup.lane.provider].limits_as or setup.lane.provider
        return f"limits.{table}.{setup.model_class}.{self.plan.rate_mode}"

    def keys_of(self, model: str) -> tuple[str, ...]:
        """Return the keys that a model may use and that are on."""
        return tuple(key for key in key_scopes(self.profile, model) if key_name(key) != NO_KEY)


def setting(path: str, value: object) -> tuple[str, str]:
    """Return the arguments that change one value of the profile."""
    return ("--set", f"{path}={value}")
