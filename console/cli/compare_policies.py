"""`ultra-console plan --compare-policies`: the same tests under each policy, rehearsed and held side by side."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from console.cli.narrate import clock
from console.cli.rehearse import teller_of
from console.cli.saying import say
from console.cli.selecting import listed
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.phases.phase import Phase
    from console.prepare import RunRequest
    from console.profile.load import LoadedProfile
    from console.rehearsal.compare import Candidate, Comparison, Refused

THOSE_THAT_APPLY = "those that apply"
"""What the option stands for without a list."""


def compare_policies(
    request: RunRequest,
    asked: str,
    *,
    latency_s: float | None,
    strict: bool,
    as_json: bool,
    progress: bool = False,
) -> int:
    """Rehearse what is asked for under each policy, tell how far it is, and say which one to choose.

    Returns:
        The exit code: 0; 3 where tests would remain under the policy to choose; with `strict` 4 where preflight
        warns of it; 130 where somebody ended it.

    Raises:
        ConsoleError: if a policy is none, or none of them makes a plan.
    """
    from console.heap import settled_heap
    from console.rehearsal.choice import with_choice
    from console.rehearsal.compare import compare
    from console.rehearsal.compare_text import comparison_lines

    if request.selection.policy is not None:
        raise ConsoleError(
            "a policy is given, and policies are to be compared",
            where="--policy with --compare-policies",
            hint=f"--compare-policies={request.selection.policy},… compares it with others",
        )
    loaded, candidates, refused = _candidates(request, asked, latency_s)
    line = teller_of(progress=progress)
    with settled_heap():
        comparison = compare(
            candidates,
            loaded.profile,
            on_progress=lambda name, reached: line.tell(reached, name),
            obey_signals=True,
        )
    line.end()
    comparison = with_choice(msgspec.structs.replace(comparison, refused=tuple(refused)))
    if as_json:
        say(msgspec.json.encode(comparison))
    elif not comparison.interrupted or len(comparison.plans) > 1:
        width = shutil.get_terminal_size((80, 24)).columns
        for text in comparison_lines(comparison, max(80, width)):
            say(safe_line(text))
    return _code(comparison, len(candidates), strict=strict)


def _candidates(
    request: RunRequest, asked: str, latency_s: float | None
) -> tuple[LoadedProfile, list[Candidate], list[Refused]]:
    from console.cli.looking import looked_ahead
    from console.phases.load import load_phases
    from console.prepare import prepare
    from console.rehearsal.compare import Candidate, Refused

    candidates: list[Candidate] = []
    refused: list[Refused] = []
    errors: list[ConsoleError] = []
    loaded: LoadedProfile | None = None
    for policy in _policies(asked, load_phases(request.phases) if request.phases else []):
        selection = msgspec.structs.replace(request.selection, policy=policy)
        try:
            prepared = prepare(msgspec.structs.replace(request, selection=selection))
        except ConsoleError as error:
            errors.append(error)
            refused.append(Refused(name=policy, reason=error.message))
            continue
        loaded = prepared.loaded
        ahead, _ = looked_ahead(prepared, latency_s)
        codes = tuple(finding.code for finding in ahead.findings)
        candidates.append(Candidate(name=policy, plan=prepared.plan, warnings=codes))
    if loaded is None:
        raise errors[0]
    return loaded, candidates, refused


def _policies(asked: str, phases: Sequence[Phase]) -> list[str]:
    """Return the policies that are named, or those that apply to the phases and the ones that they have themselves."""
    from console.phases.policy import BATCH_HINT, COMPARED, COMPARED_GROUPS, POLICIES_TEXT, parse_policy

    if asked == THOSE_THAT_APPLY:
        groups = COMPARED_GROUPS if any(len(phase.groups) > 1 for phase in phases) else ()
        return list(dict.fromkeys((*COMPARED, *groups, *(phase.order.policy for phase in phases))))
    names = listed((asked,))
    for name in names:
        try:
            parse_policy(name)
        except ValueError:
            raise ConsoleError(
                f"{safe_line(name, 80)!r} is not {POLICIES_TEXT}",
                where="--compare-policies",
                hint=BATCH_HINT if name.startswith("batches") else None,
            ) from None
    return list(dict.fromkeys(names))


def _code(comparison: Comparison, wanted: int, *, strict: bool) -> int:
    if comparison.interrupted:
        last = comparison.plans[-1]
        say(
            f"interrupted: {len(comparison.plans) - 1} of {wanted} policies compared; {last.name} was rehearsed "
            f"to {clock(last.rehearsal.duration_s)} of the run",
            err=True,
        )
        return ExitCode.INTERRUPTED
    chosen = next(one for one in comparison.plans if one.name == comparison.choose)
    if chosen.rehearsal.unanswered:
        return ExitCode.INCOMPLETE
    return ExitCode.CHECK_FAILED if strict and chosen.warnings else ExitCode.DONE
