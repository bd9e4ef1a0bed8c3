"""Names of what is shared: two runs share a limit exactly if they come to the same name.

A name is a hash. No URL and no key is in it, and a key enters as `Secret.mark`, which does not lead back to it.
"""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import urlsplit

from console.vocabulary.lane import ScopeKind
from console.vocabulary.secret import Secret

_PURPOSE: Final = "ultra-console shared limit 1"
_NO_KEY: Final = "-"
_PORTS: Final = {"http": 80, "https": 443}


def shared_name(what: str, kind: ScopeKind, base_url: str, *parts: str, secret: Secret | None = None) -> str:
    """Return the name of one limit.

    Args:
        what: which limit: `qps`, `rpm`, `tpm`, `slots`, `lease`. Each has a state of its own.
        kind: kind of the scope, so that a key's and a provider's limit are never one.
        base_url: where requests go. Profiles may name a provider as they like.
        parts: what else makes the scope: the deployment, the model.
        secret: the key, for scopes that are of one key.
    """
    key = _NO_KEY if secret is None else secret.mark(_PURPOSE)
    return digest(_PURPOSE, what, kind, plain_url(base_url), key, *parts)


def plain_url(url: str) -> str:
    """Return a base URL in the one form that all its spellings share."""
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        return url.strip()
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}{query}"


def digest(*parts: str) -> str:
    """Return 32 hex digits for `parts`; no two lists of parts run together as one."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode()
        whole.update(b"%d:" % len(data))
        whole.update(data)
    return whole.hexdigest()[:32]
