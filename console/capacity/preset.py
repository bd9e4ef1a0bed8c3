"""Presets of `capacity`: TOML that says which command it is and with which options, some of them relative to a goal.

A preset holds what operators agreed on; whose capacity it is, is said when it is called. Figures that depend on a
goal are shares of it: `request_rate = { qps = 0.8 }` is 80 % of what `--qps` says.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from console.profile.complaints import meant_hint
from console.profile.form import Count, Form, Name, Text, expecting
from console.profile.named_files import NamedFiles
from console.vocabulary.errors import ConsoleError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class OfQps(Form):
    """A share of the rate that is wanted."""

    qps: Positive


class OfConcurrency(Form):
    """A share of the requests at once that are wanted."""

    concurrency: Positive


Concurrency = Annotated[
    Count | OfConcurrency,
    expecting("a whole number ≥ 1, or { concurrency = SHARE } of the one that is wanted"),
]
Rate = Annotated[
    Positive | Literal["inf"] | OfQps,
    expecting('a number > 0, "inf", or { qps = SHARE } of the rate that is wanted'),
]
Option = str | int | float | bool


class Preset(Form):
    """One preset."""

    id: Name
    title: Text
    description: Text
    command: Literal["run", "ramp", "target"]
    scenario: bool = False
    """Whether it is the traffic of a kind of application, and not a kind of test."""
    max_concurrency: Concurrency | None = None
    request_rate: Rate | None = None
    arrival: Literal["constant", "poisson", "gamma"] | None = None
    num_prompts: Count | None = None
    minutes: Positive | None = None
    """How long it goes on, in place of a number of prompts; needs a rate."""
    random_input_len: Count | None = None
    random_output_len: Count | None = None
    options: dict[str, Option] = {}  # noqa: RUF012 - pydantic copies it
    """Further options of the command, by their long names without `--`."""

    @field_validator("minutes")
    @classmethod
    def _one_length(cls, minutes: float | None, info: ValidationInfo) -> float | None:
        before = info.data  # fields above that are right
        if minutes is not None and before.get("num_prompts") is not None:
            raise PydanticCustomError("said", "stands beside num_prompts: one follows from the other")
        if minutes is not None and before.get("request_rate", 1) in (None, "inf"):
            raise PydanticCustomError("said", "has no rate, so nobody knows how many prompts that is")
        return minutes

    @property
    def needs(self) -> tuple[str, ...]:
        """What has to be said when it is called: `qps`, `concurrency`."""
        wants = [
            ("qps", isinstance(self.request_rate, OfQps) or self.command == "target"),
            ("concurrency", isinstance(self.max_concurrency, OfConcurrency)),
        ]
        return tuple(name for name, wanted in wants if wanted)

    def arguments(self, *, qps: float | None, concurrency: int | None) -> list[str]:
        """Return the options of the command, as one would type them.

        Args:
            qps: requests per second that are wanted; without need of them, the rate in place of the preset's.
            concurrency: requests at once, likewise.

        Raises:
            ConsoleError: if one that is needed is missing.
        """
        given = {"qps": qps, "concurrency": concurrency}
        for name in self.needs:
            if given[name] is None:
                raise ConsoleError(
                    f"preset {self.id} needs --{name}: {_WHAT[name]}",
                    hint=f"ultra-console capacity preset {self.id} --{name} N …",
                )
        at_once = self._concurrency(concurrency)
        rate = self._rate(qps)
        prompts = self.num_prompts
        if self.minutes is not None and isinstance(rate, float):
            prompts = max(1, round(rate * self.minutes * 60))
        values: dict[str, Option | None] = {
            "qps": qps if self.command == "target" else None,
            "max-concurrency": at_once,
            "request-rate": None if rate is None else f"{rate:g}" if isinstance(rate, float) else rate,
            "arrival": self.arrival,
            "num-prompts": prompts,
            "random-input-len": self.random_input_len,
            "random-output-len": self.random_output_len,
            **self.options,
        }
        return [part for name, value in values.items() for part in _argument(name, value)]

    def _concurrency(self, wanted: int | None) -> int | None:
        if isinstance(self.max_concurrency, OfConcurrency):
            assert wanted is not None
            return max(1, math.floor(self.max_concurrency.concurrency * wanted + 0.5))
        return wanted or self.max_concurrency

    def _rate(self, wanted: float | None) -> float | str | None:
        if isinstance(self.request_rate, OfQps):
            assert wanted is not None
            return self.request_rate.qps * wanted
        if self.command != "run":
            return None
        return wanted or self.request_rate


_WHAT = {"qps": "requests per second that are wanted", "concurrency": "requests at once that are wanted"}


def _argument(name: str, value: Option | None) -> list[str]:
    if value is None or value is False:
        return []
    return [f"--{name}"] if value is True else [f"--{name}", str(value)]


def builtin_presets() -> dict[str, str]:
    """Return id → TOML text of the built-in presets, tests before scenarios, each in the order of their load."""
    return dict(sorted(_FILES.builtin().items(), key=lambda preset: (_place(preset[0]), preset[0])))


_ORDER = ("quick-check", "find-the-limit", "real-traffic", "capacity-planning", "stability")


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def preset_ids() -> list[str]:
    """Return the ids of all presets that a name finds: built-in ones, then the user's."""
    return list(dict.fromkeys([*builtin_presets(), *_FILES.own_ids()]))


def load_preset(reference: str) -> Preset:
    """Read one preset: a path (has `/` or `.toml`), else the user's, else a built-in one.

    Raises:
        ConsoleError: not found, or (as Problems) with everything that is wrong in it, located.
    """
    return _FILES.load(reference)


def read_preset(text: str, origin: str) -> Preset:
    """Return the preset that `text` holds.

    Raises:
        Problems: if it is no TOML or no preset: every problem, with file, line and path.
    """
    return _FILES.read(text, origin)


_FILES: Final = NamedFiles("preset", "capacity", Preset, lambda asked: meant_hint(asked, preset_ids()))
