"""The loop of a test: ask, make the calls of the reply, answer it, and so on to its end.

Every reply is answered, whatever it holds. A test ends when the model calls `finish`, when its turns are used up, or after
five calls in a row that failed, unless all of them are of one reply. Whether the goal is reached is not told to the model, and ends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.vocabulary.chat import ChatRequest, ChatResult, Message, ToolCall
from console.vocabulary.tokens import offered_tokens
from console.vocabulary.trace import Said
from console.work import answers
from console.work.context import Context
from console.work.contract import Ask
from console.work.course import Course, Ending
from console.work.protocol import MAX_TURNS, MOST_CALLS, Protocol, offered_tools
from console.work.reading import FINISH
from console.work.replies import Reply, ReplyReader, Wanted
from console.work.session import Session
from console.work.tolerant_json import encodable

MOST_FAILURES: Final = 5
"""After so many calls in a row that failed a test ends, once the first of them has been answered.

Where one reply makes all calls of a task and the first fails by chance, the others fail for want of what it makes.
"""
_SAID_CHARS: Final = 20_000
_SAID_ARGUMENTS_CHARS: Final = 4_000
_NAME_CHARS: Final = 64


async def play(
    session: Session,
    opening: Sequence[Message],
    ask: Ask,
    said: list[Said],
    *,
    protocol: Protocol,
    max_tokens: int,
) -> Course:
    """Play a test to its end and return how it went.

    Neither temperature nor seed is sent: several models refuse them, and what is measured is a model as it is served.

    Args:
        session: the tools and the world of the test; holds its calls afterwards.
        opening: system and user message.
        ask: sends a turn; may raise Unanswered, which passes through.
        said: gets all that is said.
        protocol: how tools are offered.
        max_tokens: the greatest length of a reply.
    """
    tools = offered_tools() if protocol == "tools" else ()
    context = Context(opening, offered_tokens=offered_tokens(tools))
    reader = ReplyReader(protocol)
    course = Course()
    said.extend(Said(turn=0, role=message["role"], content=message["content"]) for message in opening)
    while course.ending is None:
        request = ChatRequest(messages=context.messages(), max_tokens=max_tokens, tools=tools)
        result = await ask(request)
        course.turns += 1
        reply = reader.read(result)
        said.append(_as_said(course.turns, result, reply))
        context.add(reply.message, _answered(reply, protocol, session, course, said))
        if course.ending is None and course.turns == MAX_TURNS:
            course.ending = Ending.TURNS
    return course


def _answered(
    reply: Reply, protocol: Protocol, session: Session, course: Course, said: list[Said]
) -> list[Message]:
    """Make the calls of a reply, count what it comes to, and return its answers."""
    course.repaired += reply.repaired
    if not reply.wanted:
        course.format_errors += 1
        course.unread_replies += 1
        course.assisted_turns += 1
        text = answers.help_for(protocol, empty=reply.empty, cut=reply.cut)
        said.append(Said(turn=course.turns, role="user", content=text))
        return [{"role": "user", "content": text}]
    role = "tool" if reply.native else "user"
    told: list[Message] = []
    readable = False
    for number, wanted in enumerate(reply.wanted, 1):
        readable = readable or wanted.arguments is not None or wanted.name == FINISH
        text, failed = _made(number, wanted, reply, session, course)
        said.append(Said(turn=course.turns, role=role, content=text, tool=wanted.name, failed=failed))
        if reply.native:
            told.append({"role": "tool", "tool_call_id": wanted.written.id, "content": text})
        elif number <= MOST_CALLS + 1:
            told.append({"role": "user", "content": f"{_one_line(wanted.name)}: {text}"})
    if not readable:
        course.unread_replies += 1
    return told if reply.native else [_joined(told)]


def _made(number: int, wanted: Wanted, reply: Reply, session: Session, course: Course) -> tuple[str, str]:
    """Make one call; return what it is answered, and why it failed or was not made, empty if it worked."""
    if course.ending is Ending.FINISH:
        return answers.AFTER_FINISH, "not made: after finish"
    if course.ending is Ending.FAILURES:
        return answers.AFTER_FAILURES, "not made: after failures"
    if number > MOST_CALLS:
        return answers.OVER_LIMIT, "not made: over limit"
    if wanted.name == FINISH:
        course.ending = Ending.FINISH
        return answers.FINISHED, ""
    if wanted.arguments is None:
        course.format_errors += 1
        _count_failure(course)
        return answers.unreadable(wanted.written.arguments, cut=reply.cut), "format: INVALID_ARGUMENTS"
    call = session.call(course.turns, wanted.name, wanted.arguments)
    if call.ok:
        course.failed_in_a_row = 0
        return answers.told(call), ""
    _count_failure(course)
    return answers.told(call), f"{call.cause}: {call.code}"


def _count_failure(course: Course) -> None:
    if not course.failed_in_a_row:
        course.failing_since = course.turns
    course.failed_in_a_row += 1
    if course.failed_in_a_row >= MOST_FAILURES and course.turns > course.failing_since:
        course.ending = Ending.FAILURES


def _joined(told: list[Message]) -> Message:
    return {"role": "user", "content": "\n".join(message["content"] for message in told)}


def _one_line(name: str) -> str:
    return " ".join(name.split())[:_NAME_CHARS]


def _as_said(turn: int, result: ChatResult, reply: Reply) -> Said:
    calls = tuple(
        ToolCall(call.id, call.name[:_NAME_CHARS], answers.shortened(call.arguments, _SAID_ARGUMENTS_CHARS))
        for call in (wanted.written for wanted in reply.wanted)
    )
    return Said(
        turn=turn,
        role="assistant",
        content=encodable(answers.shortened(result.content, _SAID_CHARS)),
        reasoning=encodable(answers.shortened(result.reasoning, _SAID_CHARS)),
        calls=calls,
    )
