"""Where a connection goes: the origin of a URL, and the proxy on the way to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: connections to the same one are interchangeable."""

    scheme: str
    host: str
    """Without brackets, IDNA-encoded."""
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        """Return the origin of `url`.

        Raises:
            httpx.UnsupportedProtocol: if it is no http or https URL, or has no host.
        """
        if url.scheme not in DEFAULT_PORTS:
            raise httpx.UnsupportedProtocol(f"a URL must begin with http:// or https://, not {url.scheme!r}")
        if not url.host:
            raise httpx.UnsupportedProtocol("the URL has no host")
        port = DEFAULT_PORTS[url.scheme] if url.port is None else url.port
        return cls(url.scheme, url.raw_host.decode("ascii"), port)

    @property
    def netloc(self) -> str:
        """`host:port`, IPv6 in brackets; the form of CONNECT and of messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The value of `Host`: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. Its credential is shown nowhere."""

    origin: Origin
    authorization: str | None
    """`Basic …`, from the user and password of its URL."""

    def __repr__(self) -> str:
        return f"Proxy({self.origin.scheme}://{self.origin.netloc})"


@dataclass(frozen=True, slots=True)
class Route:
    """An origin and the way to it. Pools are keyed by it."""

    origin: Origin
    proxy: Proxy | None = None
    _hash: int = field(init=False, repr=False, compare=False)
    """Worked out once: the pool asks for it twice a request."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.origin, self.proxy)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def tunnelled(self) -> bool:
        """Whether the proxy is asked to CONNECT: TLS is ours to the end."""
        return self.proxy is not None and self.origin.scheme == "https"

    @property
    def target_prefix(self) -> bytes:
        """What stands before the path in a request line: the absolute form for a proxy that forwards."""
        if self.proxy is None or self.tunnelled:
            return b""
        return f"http://{self.origin.host_header}".encode("ascii")

    @property
    def proxy_headers(self) -> bytes:
        """Header lines that only a forwarding proxy is sent, each ending in CRLF."""
        if self.proxy is None or self.tunnelled or self.proxy.authorization is None:
            return b""
        return f"Proxy-Authorization: {self.proxy.authorization}\r\n".encode("ascii")
