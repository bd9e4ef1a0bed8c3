"""Secrets and addresses that lanes need and that are not there; none is read, and no command is run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from console.profile.form import Key, Provider
from console.vocabulary.lane import LaneSetup


def missing_secrets(lanes: Iterable[LaneSetup], providers: Mapping[str, Provider]) -> list[str]:
    """Say which secrets and addresses of the lanes in use are not there; none is read, and no command is run.

    Names of variables stand in one sentence: one for each would hide the plan below them.
    """
    references: dict[str, None] = {}
    for setup in lanes:
        provider = providers[setup.lane.provider]
        if provider.api == "sim":
            continue
        key = provider.keys.get(setup.lane.key, Key())
        for reference in (key.secret, key.base_url or provider.base_url):
            if reference is not None:
                references[reference] = None
    unset: list[str] = []
    empty: list[str] = []
    files: list[str] = []
    for reference in references:
        scheme, _, rest = reference.partition(":")
        if scheme == "env" and not os.environ.get(rest, "").strip():
            (empty if rest in os.environ else unset).append(rest)
        if scheme == "file" and not os.path.exists(os.path.expanduser(rest)):
            files.append(f"{rest} is not there")
    return [*_variables(unset, "not set"), *_variables(empty, "empty"), *files]


def _variables(names: list[str], state: str) -> list[str]:
    if not names:
        return []
    few = len(names) == 1
    return [f"environment variable{'' if few else 's'} {', '.join(names)} {'is' if few else 'are'} {state}"]
