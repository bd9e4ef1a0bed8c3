"""Gates that lanes share."""

from __future__ import annotations

from collections.abc import Sequence

from console.engine.gates import Gate
from console.vocabulary.lane import LaneSetup, Scope


def shared_gates(setups: Sequence[LaneSetup]) -> dict[Scope, Gate]:
    """Return one gate per outer scope: lanes that share a scope share its gate."""
    gates: dict[Scope, Gate] = {}
    for setup in setups:
        for outer in setup.outer:
            if outer.scope not in gates:
                gates[outer.scope] = Gate(
                    outer.scope,
                    outer.limits,
                    burst=setup.burst,
                    tokens_by_estimate=setup.tpm_accounting == "estimate",
                )
    return gates
