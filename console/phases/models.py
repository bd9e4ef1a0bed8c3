"""The models of a phase: those that it names, or all of a class, out of those of the profile."""

from __future__ import annotations

from collections.abc import Sequence

from console.phases.matrix import ModelChoice
from console.phases.phase import Phase
from console.vocabulary.errors import ConsoleError


def models_of(phase: Phase, choices: Sequence[ModelChoice], model_class: str | None) -> list[ModelChoice]:
    """Return the models of a phase in their order.

    A class that is picked stands in place of a phase's own where that names a class; of a phase that names models
    it keeps those of the class, as the others would make another phase of it.

    Args:
        phase: as the selection has left it.
        choices: the models of the profile that are on.
        model_class: the picked class; None: none is.

    Returns:
        The models; none where the phase names models, and not one of them is of the picked class.

    Raises:
        ConsoleError: if a model that it names is not in the profile, or its class is empty there.
    """
    if isinstance(phase.models, str):
        found = [choice for choice in choices if phase.models in ("all", choice.model_class)]
        if not found:
            raise ConsoleError(f"phase {phase.id} asks for {phase.models} models, and the profile has none")
        return found
    by_name = {choice.name: choice for choice in choices}
    if model_class not in (None, "all"):
        kept = [name for name in phase.models if name in by_name and by_name[name].model_class == model_class]
        if not kept:
            return []
    missing = [name for name in phase.models if name not in by_name]
    if missing:
        names = ", ".join(repr(name) for name in missing)
        raise ConsoleError(
            f"no model {names} in the profile", where=f"phase {phase.id}", hint=f"it has {', '.join(by_name)}"
        )
    return [by_name[name] for name in phase.models if model_class in (None, "all", by_name[name].model_class)]
