from __future__ import annotations

import asyncio

import httpx
import pytest
import trustme
from scripted_server import Peer, answer, plays, serving
from test_llm_faults import GOOD, SLOW, server_context

from console.llm.client import LlmClient, make_async_client
from console.llm.proxy import ProxyRules
from console.llm.route import Origin
from console.vocabulary.chat import ChatRequest, Endpoint
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio
ASK = ChatRequest(messages=({"role": "user", "content": "hi"},))


def proxied(url: str) -> bool:
    return ProxyRules.from_environment().route(Origin.of(httpx.URL(url))).proxy is not None


async def tunnel(peer: Peer) -> None:
    """A CONNECT proxy."""
    asked = await peer.request()
    host, _, port = asked.split()[1].decode().rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
        except (ConnectionError, asyncio.CancelledError):
            pass
        sink.close()

    back = asyncio.create_task(pump(reader, peer.writer))
    try:
        await pump(peer.reader, writer)
    finally:
        writer.close()
        await back


@pytest.mark.parametrize(
    ("rules", "url", "expected"),
    [
        ("", "http://h.example/", True),
        ("*", "http://h.example/", False),
        ("example", "http://h.example/", False),
        (".example", "http://h.example/", False),
        ("*.example", "http://h.example/", False),
        ("h.example", "http://xh.example/", True),
        ("h.example:81", "http://h.example/", True),
        ("h.example:80", "http://h.example/", False),
        ("other, H.Example ", "http://h.example./", False),
        ("10.0.0.0/8", "http://10.1.2.3/", False),
        ("10.0.0.0/8", "http://11.1.2.3/", True),
        ("127.0.0.1", "http://127.0.0.1:8080/", False),
        ("::1", "http://[::1]:8080/", False),
        ("[::1]:80", "http://[::1]:8080/", True),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, rules: str, url: str, expected: bool) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", rules)
    assert proxied(url) is expected


def test_which_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert not proxied("http://h/")
    assert proxied("https://h/")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:1")
    assert proxied("http://h/")


@pytest.mark.parametrize("value", ["socks5://u:hush@h:1", "http://:hush@", "http://hush:port"])
def test_a_variable_that_is_no_http_proxy_is_refused_without_its_text(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(httpx.ProxyError) as caught:
        ProxyRules.from_environment()
    assert "HTTP_PROXY" in str(caught.value)
    assert "hush" not in str(caught.value)


async def test_http_goes_through_in_absolute_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(plays(*GOOD)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://us%40er:pa%3Ass@"))
        endpoint = Endpoint(api="openai", base_url="http://model.example:8000/v1", deployment="m")
        async with LlmClient(timeouts=SLOW) as client, make_async_client() as plain:
            assert (await client.complete(endpoint, ASK)).outcome is Outcome.OK
            assert (await plain.get("http://model.example/x")).status_code == 200
        assert proxy.requests[0].startswith(
            b"POST http://model.example:8000/v1/chat/completions HTTP/1.1\r\n"
        )
        assert b"Host: model.example:8000\r\n" in proxy.requests[0]
        assert proxy.requests[1].startswith(b"GET http://model.example/x HTTP/1.1\r\n")
        for asked in proxy.requests:
            assert b"Proxy-Authorization: Basic dXNAZXI6cGE6c3M=\r\n" in asked


async def test_https_goes_through_a_tunnel(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = server_context(authority, "localhost")
    async with serving(plays(*GOOD), context) as server, serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://u:p@"))
        endpoint = Endpoint(api="openai", base_url=f"{server.url}/v1", deployment="m")
        async with LlmClient(timeouts=SLOW) as client:
            results = [await client.complete(endpoint, ASK) for _ in range(2)]
        assert [result.outcome for result in results] == [Outcome.OK, Outcome.OK]
        assert [result.reused_connection for result in results] == [False, True]
        (asked,) = proxy.requests
        assert asked.startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n".encode())
        assert b"Proxy-Authorization: Basic dTpw" in asked
        assert b"Proxy-Authorization" not in b"".join(server.requests)
        assert server.requests[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


@pytest.mark.parametrize("answered", [answer(407, {}), b"nonsense\r\n", b""])
async def test_a_proxy_that_refuses_the_tunnel(monkeypatch: pytest.MonkeyPatch, answered: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answered)

    async with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        endpoint = Endpoint(api="openai", base_url="https://model.example/v1", deployment="m")
        async with LlmClient(timeouts=SLOW) as client:
            result = await client.complete(endpoint, ASK)
        assert result.outcome is Outcome.CONNECTION
        assert "proxy" in result.error
