"""Proxies as the environment names them: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

import base64
import ipaddress
import urllib.request
from urllib.parse import unquote

import httpx

from console.llm.route import Origin, Proxy, Route


class ProxyRules:
    """Which proxy a request takes. Read once, so that a run keeps one way throughout."""

    def __init__(self, proxies: dict[str, Proxy], bypass: tuple[str, ...]) -> None:
        """Use `proxies` by scheme (`all` for any) but for hosts that match `bypass`."""
        self._proxies = proxies
        self._bypass = bypass

    @classmethod
    def from_environment(cls) -> ProxyRules:
        """Read the variables, in lower case before upper case; HTTP_PROXY is ignored in a CGI process.

        Raises:
            httpx.ProxyError: if one of them is not a URL of an HTTP proxy. Its text is not in the message, for
                it may hold a password.
        """
        found = urllib.request.getproxies_environment()
        bypass = tuple(part.strip().lower() for part in found.get("no", "").split(",") if part.strip())
        proxies = {
            scheme: _parse(scheme, found[scheme]) for scheme in ("http", "https", "all") if found.get(scheme)
        }
        return cls(proxies, bypass)

    def route(self, origin: Origin) -> Route:
        """Return the way to `origin`."""
        proxy = self._proxies.get(origin.scheme) or self._proxies.get("all")
        if proxy is None or any(_matches(rule, origin) for rule in self._bypass):
            return Route(origin)
        return Route(origin, proxy)


def _parse(scheme: str, text: str) -> Proxy:
    variable = f"{scheme.upper()}_PROXY"
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:
        raise httpx.ProxyError(f"{variable} is not a URL") from None
    if url.scheme not in ("http", "https"):
        raise httpx.ProxyError(
            f"{variable}: proxies of kind {url.scheme}:// are not supported, only http(s)://"
        )
    if not url.host:
        raise httpx.ProxyError(f"{variable} names no host")
    authorization = None
    if url.userinfo:
        user, _, password = url.userinfo.decode("ascii").partition(":")
        token = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode("ascii")
        authorization = f"Basic {token}"
    return Proxy(Origin.of(url), authorization)


def _matches(rule: str, origin: Origin) -> bool:
    """Whether one entry of NO_PROXY covers `origin`: `*`, a domain, an address, a network, each with a port or not."""
    if rule == "*":
        return True
    host = origin.host.lower().rstrip(".")
    try:
        network = ipaddress.ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    name, colon, port = rule.rpartition(":")
    if colon and port.isdigit():
        if int(port) != origin.port:
            return False
        rule = name.strip("[]")
    rule = rule.removeprefix("*").removeprefix(".").rstrip(".")
    return bool(rule) and (host == rule or host.endswith(f".{rule}"))
