"""Small profiles and phases whose course can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

from console.phases.selection import Selection
from console.rehearsal.rehearse import rehearse
from console.rehearsal.report import Rehearsal
from console.run import Prepared, RunRequest, prepare

SIMULATED = """\
name = "small"
[providers.lab]
api = "sim"
keys = ["key0"]
[providers.lab.sim]
ttft_ms = {ttft_ms}
ttft_spread = {spread}
itl_ms = {itl_ms}
itl_spread = {spread}
{sim}
[models.one]
provider = "lab"
class = "open"
[models.two]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = {{ workers = {workers}{limits} }}
"""

GUESSED = """\
name = "guessed"
[providers.lab]
api = "openai"
base_url = "env:NO_SUCH_URL"
keys = {{ key0 = "env:NO_SUCH_KEY", key1 = "cmd:no-such-command" }}
{guess}
[models.one]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = {{ workers = 2 }}
"""

SIDE_BY_SIDE = """\
id = "contention"
title = "Two models on one key"
models = ["one", "two"]
prompt_types = ["optimal"]
difficulties = ["easy"]
instances = 4
[order]
together = ["model"]
"""


def simulated(
    folder: Path,
    *,
    workers: int = 1,
    limits: str = "",
    sim: str = "",
    ttft_ms: float = 500,
    itl_ms: float = 0,
    spread: float = 0.0,
) -> Path:
    """Write a profile of one simulated provider; by default an answer takes its TTFT to the nanosecond."""
    path = folder / "small.toml"
    path.write_text(
        SIMULATED.format(
            ttft_ms=ttft_ms, itl_ms=itl_ms, spread=spread, sim=sim, workers=workers, limits=limits
        )
    )
    return path


def guessed(folder: Path, guess: str = "") -> Path:
    """Write a profile of one real provider, whose keys and address are nowhere to be found."""
    path = folder / "guessed.toml"
    path.write_text(GUESSED.format(guess=guess))
    return path


def prepared(profile: Path | str, *, instances: int = 2, seed: int = 0, phases=(), **picks) -> Prepared:
    """Plan 5 × `instances` tests of the model `one`, or what the phases say."""
    selection = Selection(instances=None if phases else instances, models=() if phases else ("one",), **picks)
    return prepare(RunRequest(profile=str(profile), phases=phases, selection=selection, seed=seed))


def rehearsed(profile: Path | str, **asked) -> Rehearsal:
    """Plan and rehearse."""
    ready = prepared(profile, **asked)
    return rehearse(ready.plan, ready.loaded.profile)
