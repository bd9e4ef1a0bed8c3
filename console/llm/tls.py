"""TLS as a client wants it: verified, with the system's roots, HTTP/1.1 only."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi


def client_context() -> ssl.SSLContext:
    """Make a context that verifies names and chains.

    Roots come from SSL_CERT_FILE and SSL_CERT_DIR, else from the system; a slim container that has none gets
    certifi's, so that a public endpoint still verifies.

    Raises:
        OSError: if no file can be opened: OpenSSL would say nothing, and the context would trust nobody for good.
    """
    with Path(os.devnull).open("rb"):
        pass
    context = ssl.create_default_context()
    if not _has_roots():
        context.load_verify_locations(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _has_roots() -> bool:
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return True
    paths = ssl.get_default_verify_paths()  # paths that do not exist are None, whatever the stubs say
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).iterdir()))
