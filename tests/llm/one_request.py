"""One request over a real socket, as the wire tests send it."""

from __future__ import annotations

from scripted_server import DONE, delta, stream

from console.llm.client import LlmClient
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts
from console.vocabulary.secret import Secret

ASK = ChatRequest(messages=({"role": "user", "content": "hi"},))
WHOLE = ChatRequest(messages=ASK.messages, stream=False)
QUICK = Timeouts(connect=0.2, first_token=0.15, idle=0.15, total=2)
SLOW = Timeouts(connect=5, first_token=5, idle=5, total=10)
GOOD = stream(delta(content="x"), delta(finish="stop"), DONE)


def at(base_url: str) -> Endpoint:
    return Endpoint(
        api="openai", base_url=base_url, deployment="m", secret=Secret("sk-canary-0123456789", "env:K")
    )


async def ask(url: str, timeouts: Timeouts = QUICK, request: ChatRequest = ASK) -> ChatResult:
    async with LlmClient(timeouts=timeouts) as client:
        return await client.complete(at(url), request)
