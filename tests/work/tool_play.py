"""Scripted models: they play tool-use tests without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import anyio
import msgspec

from console.vocabulary.chat import ChatRequest, ChatResult, Message, Stamps, ToolCall
from console.vocabulary.outcome import Outcome
from console.vocabulary.trace import Said
from console.work.course import Course
from console.work.protocol import Protocol, rules
from console.work.reading import FINISH
from console.work.session import Session
from console.work.task import Task
from console.work.turns import play

Wish = tuple[str, dict[str, Any]]
Policy = Callable[[Session, int], ChatResult]
"""Answers a turn, knowing the session and the number of the turn."""
DONE: Wish = (FINISH, {})


def saying(content: str = "", *calls: ToolCall, **more: Any) -> ChatResult:
    return ChatResult(
        outcome=Outcome.OK,
        stamps=Stamps(),
        content=content,
        tool_calls=calls,
        **{"finish_reason": "stop", **more},
    )


def calling(protocol: Protocol, *wishes: Wish) -> ChatResult:
    """Write calls as a model does that follows the rules of its protocol."""
    if protocol == "tools":
        calls = [ToolCall("", name, msgspec.json.encode(arguments).decode()) for name, arguments in wishes]
        return saying("", *calls)
    actions = [{"action": name, "arguments": arguments} for name, arguments in wishes]
    return saying("\n".join(msgspec.json.encode(action).decode() for action in actions))


def replaying(replies: Iterable[ChatResult], then: ChatResult | None = None) -> Policy:
    left = iter(replies)
    return lambda session, turn: next(left, then or saying("I do not know."))


def steps_of(task: Task) -> list[Wish]:
    return [(step.tool, step.arguments) for step in task.plan]


def following(wishes: Sequence[Wish], protocol: Protocol = "tools", *, retry: bool = True) -> Policy:
    """Make one call a turn and again where it failed, then finish."""
    done = [0]

    def reply(session: Session, turn: int) -> ChatResult:
        if turn > 1 and (session.calls[-1].ok or not retry):
            done[0] += 1
        return calling(protocol, wishes[done[0]] if done[0] < len(wishes) else DONE)

    return reply


class Played:
    """A test that was played, with all that was sent and said."""

    def __init__(
        self, task: Task, policy: Policy, *, protocol: Protocol = "tools", rate: float = 1.0, seed: int = 0
    ) -> None:
        self.session = Session(task, seed=seed, success_rate=rate)
        self.requests: list[ChatRequest] = []
        self.said: list[Said] = []
        self.opening: tuple[Message, Message] = (
            {"role": "system", "content": rules(protocol)},
            {"role": "user", "content": f"Ticket {task.id}\nTask: something."},
        )

        async def ask(request: ChatRequest) -> ChatResult:
            self.requests.append(request)
            return policy(self.session, len(self.requests))

        async def whole() -> Course:
            return await play(self.session, self.opening, ask, self.said, protocol=protocol, max_tokens=1024)

        self.course = anyio.run(whole)

    @property
    def calls(self) -> list[str]:
        return [call.tool for call in self.session.calls]


def complaint_about(messages: Sequence[Message]) -> str | None:
    """Say why a strict server would refuse these messages, or None: the rules of OpenAI, Azure and vLLM together."""
    open_ids: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role == "tool":
            if not open_ids or message["tool_call_id"] != open_ids.pop(0):
                return f"{place}: answers no call, or not in order"
            if not isinstance(content, str) or not content:
                return f"{place}: an empty answer"
            continue
        if open_ids:
            return f"{place}: calls without answer before it"
        calls = message.get("tool_calls")
        if content is None and not calls:
            return f"{place}: neither content nor calls"
        if content is not None and (not isinstance(content, str) or not content):
            return f"{place}: empty content"
        if role == "user" and messages[place - 1]["role"] == "user":
            return f"{place}: two of the user in a row"
        for call in calls or ():
            function = call["function"]
            if call["type"] != "function" or call["id"] in seen or not 0 < len(call["id"]) <= 40:
                return f"{place}: a call of no kind, or its id"
            if not 0 < len(function["name"]) <= 64 or (
                not function["name"].replace("-", "_").isidentifier()
                and not function["name"].replace("-", "_").replace("_", "a").isalnum()
            ):
                return f"{place}: the name {function['name']!r}"
            if not isinstance(msgspec.json.decode(function["arguments"]), dict):
                return f"{place}: arguments that are no object"
            seen.add(call["id"])
            open_ids.append(call["id"])
    msgspec.json.encode(messages)
    return f"{len(messages)}: calls without answer at the end" if open_ids else None
