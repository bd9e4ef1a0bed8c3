"""Why a test is not full: one of eight classes, by rules from its calls and its course.

The rules are asked in a fixed order, and the first that fits gives the class: what keeps a model from being understood at all
comes before what it chose, that before what became of its calls, and what only says how the test ended comes last.

| class | fits where |
|---|---|
| tool_call_format | nothing was called although it was tried, or more than half of the replies held no readable call |
| tool_selection | a needed tool was never called, and a tool that is not needed or does not exist was |
| timeout | the last call of a needed tool timed out by chance, and it was not made again |
| sequence_order | a call failed that came before what it needs, and was not made again after that had worked; or all needed |
| | calls worked, but in another order, and the goal is not reached |
| dependency | a call failed as what it needs had not been made, and that tool never worked afterwards |
| parameter_config | a needed tool was refused for its arguments and never worked afterwards, or worked without the wanted effect |
| max_turns | the turns were used up |
| other | anything else: it stopped too early, or five calls in a row failed |

Where the goal is reached and only `finish` is missing, no call can be the reason: then the first and the last two are asked.
Timeouts come before order and dependencies, as calls that build on what timed out fail in their turn; order comes before
dependencies, as each call that came too early failed for what it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from console.vocabulary.marks import ErrorClass
from console.work.course import Course, Ending
from console.work.registry import TOOLS
from console.work.sequences import common_length
from console.work.session import Call, Session
from console.work.task import Condition, Task
from console.work.world import Cause, ErrorCode, World


def error_class_of(session: Session, course: Course) -> ErrorClass:
    """Return the class of a test that is not full."""
    rules = _OF_THE_COURSE if session.goal_reached else _RULES
    return next((name for name, fits in rules if fits(session, course)), ErrorClass.OTHER)


def _unread(session: Session, course: Course) -> bool:
    nothing = not session.calls and course.format_errors > 0
    return nothing or 2 * course.unread_replies > course.turns


def _other_tools(session: Session, _: Course) -> bool:
    needed = _needed(session.task)
    called = {call.tool for call in session.calls}
    return not needed <= called and not called <= needed


def _timed_out(session: Session, _: Course) -> bool:
    needed = _needed(session.task)
    last = {call.tool: call for call in session.calls if call.tool in needed}
    return any(call.cause is Cause.CHANCE and call.code is ErrorCode.TIMEOUT for call in last.values())


def _built_on_nothing(session: Session, _: Course) -> bool:
    return _never_made_good(session.calls, Cause.DEPENDENCY)


def _disordered(session: Session, _: Course) -> bool:
    plan, worked = _plan_and_worked(session)
    covered = not Counter(plan) - Counter(worked)
    if covered and not session.goal_reached and common_length(plan, worked) < len(plan):
        return True
    return _too_early(session.calls, plan)


def _too_early(calls: Sequence[Call], plan: Sequence[str]) -> bool:
    """Say whether a call failed for what it needs, which was called for the first time, and worked, only after it."""
    called: set[str] = set()
    for place, call in enumerate(calls):
        if call.cause is Cause.DEPENDENCY and call.tool in plan:
            later = {one.tool for one in calls[place + 1 :] if one.ok}
            before = set(plan[: plan.index(call.tool)])
            if call.tool not in later and (before & later) - called:
                return True
        called.add(call.tool)
    return False


def _misused(session: Session, _: Course) -> bool:
    needed = _needed(session.task)
    mine = [call for call in session.calls if call.tool in needed]
    return _never_made_good(mine, Cause.INPUT) or _without_effect(session)


def _turns_used(_: Session, course: Course) -> bool:
    return course.ending is Ending.TURNS


_RULES: tuple[tuple[ErrorClass, Callable[[Session, Course], bool]], ...] = (
    (ErrorClass.TOOL_CALL_FORMAT, _unread),
    (ErrorClass.TOOL_SELECTION, _other_tools),
    (ErrorClass.TIMEOUT, _timed_out),
    (ErrorClass.SEQUENCE_ORDER, _disordered),
    (ErrorClass.DEPENDENCY, _built_on_nothing),
    (ErrorClass.PARAMETER_CONFIG, _misused),
    (ErrorClass.MAX_TURNS, _turns_used),
)
_OF_THE_COURSE = (_RULES[0], _RULES[-1])


def _needed(task: Task) -> set[str]:
    return {step.tool for step in task.plan}


def _plan_and_worked(session: Session) -> tuple[list[str], list[str]]:
    return [step.tool for step in session.task.plan], [call.tool for call in session.calls if call.ok]


def _never_made_good(calls: Sequence[Call], cause: Cause) -> bool:
    """Say whether a tool failed for `cause` after it had worked for the last time."""
    worked_later: set[str] = set()
    for call in reversed(calls):
        if call.ok:
            worked_later.add(call.tool)
        elif call.cause is cause and call.tool not in worked_later:
            return True
    return False


def _without_effect(session: Session) -> bool:
    """Say whether a tool worked as often as the plan has it, and what the plan makes with it is not there."""
    plan, worked = _plan_and_worked(session)
    wanted, made = Counter(plan), Counter(worked)
    unmet = [condition for condition in session.task.goal if not condition.holds(session.world)]
    world = World(session.task.start)
    for step in session.task.plan:
        effect = TOOLS[step.tool].run(world, step.arguments)
        world.apply(effect)
        if made[step.tool] >= wanted[step.tool] and any(
            Condition(*change) in unmet for change in effect.changes
        ):
            return True
    return False
