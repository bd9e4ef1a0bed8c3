"""Which request is for which provider, and what its body asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote

import msgspec

from console.sim import rejection as reject
from console.sim.provider import Ask, SimulatedProvider
from console.sim.rejection import Rejection

LONGEST_ANSWER_TOKENS = 1_000_000

Length = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_ANSWER_TOKENS)]


class StreamOptions(msgspec.Struct, frozen=True):
    """`stream_options` of a request."""

    include_usage: bool | None = None


class ChatBody(msgspec.Struct, frozen=True):
    """The part of a chat completion request that a simulated provider looks at."""

    messages: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Length | None = None
    max_completion_tokens: Length | None = None
    tools: list[dict[str, Any]] | None = None
    ignore_eos: bool | None = None


class Route(msgspec.Struct, frozen=True):
    """Where a path leads."""

    what: Literal["chat", "models", "stats", "log", "metrics"]
    provider: str = ""
    deployment: str | None = None
    """In Azure's dialect the path names it."""


_BODY = msgspec.json.Decoder(ChatBody)


def find_route(method: str, target: bytes, providers: Mapping[str, SimulatedProvider]) -> Route | Rejection:
    """Return where `target` leads: `/NAME/…` for each provider, and the root where there is only one."""
    path, _, query = target.partition(b"?")
    parts = [unquote(part) for part in path.decode("latin-1").split("/")[1:]]
    if parts in (["__stats"], ["__log"]):
        return _allowed(method, Route("stats" if parts == ["__stats"] else "log"))
    if parts == ["metrics"] and "metrics" not in providers:
        return _allowed(method, Route("metrics"))
    found: Route | Rejection | None = None
    if parts and parts[0] in providers:
        found = _provider_route(parts[0], parts[1:], query, providers)
    if found is None and len(providers) == 1:
        found = _provider_route(next(iter(providers)), parts, query, providers)
    if found is None:
        return reject.bad_request("No such path.", status=404, code="not_found")
    return _allowed(method, found) if isinstance(found, Route) else found


def _provider_route(
    name: str, parts: list[str], query: bytes, providers: Mapping[str, SimulatedProvider]
) -> Route | Rejection | None:
    if providers[name].behaviour.dialect == "openai":
        if parts == ["v1", "chat", "completions"]:
            return Route("chat", name)
        return Route("models", name) if parts == ["v1", "models"] else None
    match parts:
        case ["openai", "deployments", deployment, "chat", "completions"] if deployment:
            if not parse_qs(query.decode("latin-1")).get("api-version"):
                return reject.bad_request("Resource not found", status=404, code="404")
            return Route("chat", name, deployment)
        case _:
            return None


def _allowed(method: str, route: Route) -> Route | Rejection:
    expected = "POST" if route.what == "chat" else "GET"
    if method == expected or (method == "HEAD" and expected == "GET"):
        return route
    return msgspec.structs.replace(
        reject.bad_request(f"This path takes {expected}.", status=405, code="method_not_allowed"),
        headers=(("allow", expected),),
    )


def read_body(body: bytes) -> ChatBody | Rejection:
    """Read the JSON body of a chat request."""
    try:
        return _BODY.decode(body)
    except msgspec.ValidationError as error:
        return reject.bad_request(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return reject.bad_request(f"The body is not valid JSON: {error}")


def ask_of(route: Route, body: ChatBody, key: str) -> Ask | Rejection:
    """Return what is asked, with the deployment from the path or the body."""
    deployment = route.deployment or body.model
    if not deployment:
        return reject.bad_request("The request names no model.", code="missing_model")
    limits = (body.max_completion_tokens, body.max_tokens)
    return Ask(
        deployment=deployment,
        key=key,
        messages=body.messages,
        tools=body.tools or (),
        max_tokens=next((limit for limit in limits if limit is not None), None),
        ignore_eos=bool(body.ignore_eos),
    )
