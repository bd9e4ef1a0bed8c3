"""What one simulator serves: several providers, one seed. It travels as JSON to the simulator process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

import annotated_types
import msgspec

from console.vocabulary.errors import ConsoleError
from console.vocabulary.simulated import SimBehaviour


class SimConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a simulator answers."""

    seed: int = 0
    providers: dict[str, SimBehaviour]
    """By name; each is served under `/NAME/`, a single one at the root as well."""
    model_of: dict[str, str] = {}
    """Deployment → model, so that all deployments of one model give the same answers. Absent: its own name."""
    log: bool = False
    """Keep arrivals and the send time of every chunk, for tests and benchmarks."""


def check_config(config: SimConfig) -> SimConfig:
    """Return `config` if its provider names can be part of a path.

    Raises:
        ConsoleError: if there is no provider, or a name is not usable in a URL.
    """
    if not config.providers:
        raise ConsoleError("the simulator was given no provider")
    for name in config.providers:
        if not name or name.startswith("__") or not all(c.isalnum() or c in "-._" for c in name):
            raise ConsoleError(
                f"{name!r} cannot name a simulated provider",
                hint="use letters, digits, '-', '.' and '_'",
            )
        for problem in out_of_range(config.providers[name]):
            raise ConsoleError(problem, where=f"provider {name}")
    return config


def out_of_range(behaviour: SimBehaviour) -> Iterator[str]:
    """Say which settings lie outside the range that their type names."""
    for field in fields(behaviour):
        setting = getattr(behaviour, field.name)
        low, high, open_low = field_range(field.name)
        if setting is None or (low is None and high is None):
            continue
        named = {field.name: setting}
        if isinstance(setting, dict):
            named = {f"{field.name}.{name}": one for name, one in cast("dict[str, float]", setting).items()}
        for name, value in named.items():
            if low is not None and (value < low or (open_low and value == low)):
                yield f"{name}: {value:g} is not {'>' if open_low else '≥'} {low:g}"
            elif high is not None and value > high:
                yield f"{name}: {value:g} is not ≤ {high:g}"


def field_range(name: str) -> tuple[float | None, float | None, bool]:
    """Return the least and the greatest value of a setting, and whether the least itself is excluded."""
    low: float | None = None
    high: float | None = None
    open_low = False
    for mark in _marks(get_type_hints(SimBehaviour, include_extras=True)[name]):
        if isinstance(mark, annotated_types.Ge):
            low = float(mark.ge)  # pyright: ignore[reportArgumentType] - our own ranges are numbers
        elif isinstance(mark, annotated_types.Gt):
            low, open_low = float(mark.gt), True  # pyright: ignore[reportArgumentType] - as above
        elif isinstance(mark, annotated_types.Le):
            high = float(mark.le)  # pyright: ignore[reportArgumentType] - as above
    return low, high, open_low


def _marks(hint: Any) -> Iterator[object]:
    """Find the range marks in a type, also inside `Annotated[int, Ge(1)] | None`."""
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
    else:
        for part in get_args(hint):
            yield from _marks(part)


def config_to_json(config: SimConfig) -> bytes:
    """Return `config` as one line of JSON."""
    return msgspec.json.encode(config)


def config_from_json(line: bytes) -> SimConfig:
    """Read `config_to_json` back.

    Raises:
        ConsoleError: if the line is not such a JSON value.
    """
    try:
        config = msgspec.json.decode(line, type=SimConfig)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConsoleError(f"the simulator's configuration is malformed: {error}", where="stdin") from error
    return check_config(config)
