"""How an endpoint is spoken to: URL, headers and body of OpenAI's and Azure's forms.

What is the same for all requests of an endpoint is prepared once. This is the one place where a secret is revealed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from console import __version__
from console.llm.receiver import Header
from console.vocabulary.chat import ChatRequest, Endpoint, Message
from console.vocabulary.errors import ConsoleError

DEFAULT_API_VERSION = "2024-10-21"
_USAGE_SINCE = "2024-09-01"
"""Older Azure versions refuse `stream_options`."""
_NEW_TOKEN_FIELD = re.compile(r"(?:.*/)?(?:o[1-9]\d*|gpt-[5-9]\d*)(?:[-._:@].*)?\Z", re.IGNORECASE)
_USERINFO = re.compile(r"//[^/@]*@")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = True


class _Body(msgspec.Struct, omit_defaults=True):
    messages: tuple[Message, ...]
    model: str | None = None
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ignore_eos: bool = False


_STREAM_OPTIONS = _StreamOptions()
_encode = msgspec.json.Encoder().encode


class _EncodedTools:
    """The JSON of the tools that were offered last: mostly one and the same tuple, of which each request would cost 20 µs."""

    def __init__(self) -> None:
        self._tools: tuple[dict[str, Any], ...] = ()
        self._encoded = msgspec.Raw()

    def of(self, tools: tuple[dict[str, Any], ...]) -> msgspec.Raw | msgspec.UnsetType:
        """Return their JSON; they are compared by identity, and held, so that no other tuple can take their place."""
        if not tools:
            return msgspec.UNSET
        if tools is not self._tools:
            self._encoded = msgspec.Raw(_encode(tools))
            self._tools = tools
        return self._encoded


_encoded_tools = _EncodedTools()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An endpoint, ready for many requests. Its headers hold the credential and are never shown."""

    url: httpx.URL
    models_url: httpx.URL
    headers: tuple[Header, ...] = field(repr=False)
    """Without `Host` and `Content-Length`."""
    model: str | None
    """What the body names; None where the path does."""
    usage_in_stream: bool
    new_token_field: bool
    """`max_completion_tokens` in place of `max_tokens`."""
    secret_forms: tuple[str, ...] = field(repr=False)
    """What must not be shown if a server says it back."""

    def body(self, request: ChatRequest) -> bytes:
        """Return the JSON of `request`.

        Raises:
            ValueError: if a message holds what JSON cannot carry, such as half a surrogate pair.
        """
        try:
            return _encode(
                _Body(
                    messages=request.messages,
                    model=self.model,
                    stream=request.stream,
                    stream_options=_STREAM_OPTIONS if request.stream and self.usage_in_stream else None,
                    max_tokens=None if self.new_token_field else request.max_tokens,
                    max_completion_tokens=request.max_tokens if self.new_token_field else None,
                    temperature=request.temperature,
                    seed=request.seed,
                    tools=_encoded_tools.of(request.tools),
                    ignore_eos=request.ignore_eos,
                )
            )
        except (TypeError, RecursionError) as problem:
            raise ValueError(str(problem)) from None


def takes_new_token_field(name: str) -> bool:
    """Whether a model of this name wants `max_completion_tokens`.

    OpenAI's and Azure's o-series (o1, o3-mini …) and gpt-5 and later refuse `max_tokens`; everything else,
    servers of open models above all, understands it. A vendor before a slash is not looked at.
    """
    return _NEW_TOKEN_FIELD.match(name) is not None


def prepare(endpoint: Endpoint) -> Prepared:
    """Work out URL, headers and rules of `endpoint`.

    Raises:
        ConsoleError: if its base URL is none.
    """
    try:
        base = httpx.URL(endpoint.base_url)
    except httpx.InvalidURL as problem:
        raise _bad_url(endpoint, str(problem)) from None
    if base.scheme not in ("http", "https") or not base.host:
        raise _bad_url(endpoint, "it needs http:// or https:// and a host")
    if base.userinfo:
        raise ConsoleError(
            f"the base URL of {base.host} holds a user or password", hint="give the credential as a key"
        )
    path = base.raw_path.decode("ascii").partition("?")[0].rstrip("/")
    params = dict(base.params)
    deployment_in_path = endpoint.api == "azure" and not path.endswith("/openai/v1")
    if endpoint.api == "azure":
        version = endpoint.api_version
        if deployment_in_path:
            path = path.removesuffix("/openai") + "/openai"
            version = version or DEFAULT_API_VERSION
        if version is not None:
            params["api-version"] = version
    chat_path = f"{path}/deployments/{quote(endpoint.deployment, safe='')}" if deployment_in_path else path
    return Prepared(
        url=_url(base, f"{chat_path}/chat/completions", params),
        models_url=_url(base, f"{path}/models", params),
        headers=_headers(endpoint),
        model=None if deployment_in_path else endpoint.deployment,
        usage_in_stream=not deployment_in_path or _knows_usage(params["api-version"]),
        new_token_field=takes_new_token_field(endpoint.deployment),
        secret_forms=_secret_forms(endpoint),
    )


def _url(base: httpx.URL, path: str, params: dict[str, str]) -> httpx.URL:
    query = str(httpx.QueryParams(params)).encode("ascii")
    raw_path = path.encode("ascii")
    return base.copy_with(raw_path=raw_path + b"?" + query if query else raw_path, fragment=None)


def _headers(endpoint: Endpoint) -> tuple[Header, ...]:
    headers: list[Header] = [
        (b"Content-Type", b"application/json"),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", f"ultra-console/{__version__}".encode("ascii")),
    ]
    if endpoint.secret is not None:
        value = endpoint.secret.reveal()
        if endpoint.api == "azure":
            headers.append((b"api-key", value.encode("ascii")))
        else:
            headers.append((b"Authorization", f"Bearer {value}".encode("ascii")))
    return tuple(headers)


def _secret_forms(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.secret is None:
        return ()
    value = endpoint.secret.reveal()
    escaped = msgspec.json.encode(value).decode("ascii")[1:-1]
    return tuple(sorted({value, quote(value, safe=""), escaped}, key=len, reverse=True))


def _knows_usage(api_version: str) -> bool:
    dated = _DATE.match(api_version)
    return dated is None or dated.group() >= _USAGE_SINCE


def _bad_url(endpoint: Endpoint, why: str) -> ConsoleError:
    return ConsoleError(
        f"{_USERINFO.sub('//', endpoint.base_url)!r} is not the base URL of a server: {why}",
        hint="openai: up to and with /v1, such as http://127.0.0.1:8000/v1; azure: https://NAME.openai.azure.com",
    )
